"""What would stop a run, found before its first step: all of it, at once.

Here: the settings against what is there. Not here: the settings by themselves (`settings.py`), and what only a service
knows (its step reports that).
"""

import difflib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from shlex import quote

from vp_pipeline import data_folder
from vp_pipeline.dbt.grain import exportable
from vp_pipeline.dbt.project import manifest_path
from vp_pipeline.failures import PermanentError, Problem, StartError
from vp_pipeline.settings import Settings, all_settings, variable_of
from vp_pipeline.sources.source import Origin, airbyte_sources
from vp_pipeline.sources.topic import topic_sources

_OTHER_FOLDER = "export VP_DATA_DIR=<a folder that can be written>"
_DUCKDB = slice(8, 12), b"DUCK"  # where the header of a DuckDB file has which bytes


def require_ready(settings: Settings) -> None:
    """Returns where a run can begin.

    Raises:
        StartError: names everything that would stop it, with what to set or move.
    """
    checks = (folders, recordings, connectors, topics, databases, exported_mart)
    problems = list(dict.fromkeys(problem.text for check in checks for problem in check(settings)))
    if problems:
        raise StartError(problems, "\nNothing was run.")


def folders(settings: Settings) -> Iterator[Problem]:
    """Folders that cannot be written."""
    published = settings.published_path.parent / data_folder.PUBLICATIONS
    for folder in (settings.data_dir, settings.lake_dir, settings.outbox_dir, settings.dbt_dir, published):
        if folder != settings.data_dir and not os.path.lexists(folder):
            continue  # it is made when it is needed
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder) as file:
                file.write(b"x")
                file.flush()
        except FileExistsError as error:
            yield Problem(
                f"{error.filename} is a file, and a folder is needed there: move it away, or set VP_DATA_DIR.",
                _move_away(Path(error.filename)) if folder != settings.data_dir else _OTHER_FOLDER,
            )
        except OSError as error:
            yield Problem(
                f"The data folder cannot be written: {error.strerror or error} ({folder}). Make room, correct its "
                "permissions, or set VP_DATA_DIR.",
                f"chmod u+rwx {quote(str(folder))}" if isinstance(error, PermissionError) else _OTHER_FOLDER,
            )


def recordings(settings: Settings) -> Iterator[Problem]:
    """Recordings that are not there."""
    for source in airbyte_sources(settings.enabled_sources):
        folder = settings.of(source).recordings
        if folder is not None and not folder.is_dir():
            variable = variable_of(source, "recordings")
            yield Problem(f"{folder} is not a folder: set {variable} (or --recordings) to one.", f"unset {variable}")


def connectors(settings: Settings) -> Iterator[Problem]:
    """What a connector cannot be configured with. In production Airbyte has its configuration."""
    for source in airbyte_sources(settings.enabled_sources) if settings.env == "local" else ():
        own = settings.of(source)
        if own.uses_vendor:
            try:
                source.connector_config(own, Origin.of_vendor(own))
            except PermanentError as error:
                unset = (s for s in all_settings() if s.source is source and s.field not in own.model_fields_set)
                named = next((s.assignment for s in unset if s.variable in str(error)), "vp config")
                yield Problem(str(error), named)


def topics(settings: Settings) -> Iterator[Problem]:
    """Topics that VP_SOURCES names and whose brokers nobody has named."""
    for source in topic_sources(settings.enabled_sources):
        if not settings.of(source).is_configured:
            setting = next(s for s in all_settings() if s.source is source and s.field == source.settings.NEEDED)
            yield Problem(
                f"{source.name} is a Kafka topic, and {setting.variable} does not name its brokers. Set it, or leave "
                f"{source.name} out of VP_SOURCES.",
                setting.assignment,
            )


def databases(settings: Settings) -> Iterator[Problem]:
    """Files that are not DuckDB's where its databases belong."""
    if settings.env != "local":
        return
    for file, remedy in (
        (settings.warehouse_path, "the run makes a new one and loads every day from silver again"),
        (settings.published_path, "the next green build is published again"),
    ):
        if file.is_dir() or (file.exists() and not _is_database(file)):
            yield Problem(
                f"{file} is no DuckDB database. Restore it from a backup, or move it away: {remedy}.", _move_away(file)
            )


def _is_database(file: Path) -> bool:
    """Whether a file begins as DuckDB's do; an empty one is a new database. It is not opened: a run may have it."""
    where, mark = _DUCKDB
    with file.open("rb") as opened:
        head = opened.read(where.stop)
    return not head or head[where] == mark


def exported_mart(settings: Settings) -> Iterator[Problem]:
    """A mart of that name has to be there."""
    known = exportable(manifest_path(settings))
    if settings.exported_mart not in known:
        near = difflib.get_close_matches(settings.exported_mart, known, n=1, cutoff=0.6)
        hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(known)}."
        yield Problem(
            f"VP_EXPORT_MART is {settings.exported_mart}, which is not a mart with a grain. {hint}",
            f"export VP_EXPORT_MART={near[0]}" if near else "unset VP_EXPORT_MART",
        )


def _move_away(path: Path) -> str:
    return f"mv {quote(str(path))} {quote(f'{path}.aside')}"
