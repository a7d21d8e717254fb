"""The dbt project: where it is, and its parsed manifest for each target.

Here: files. Not here: running a command on it (`invocation.py`), and which models there are (`dbt_project/`).
"""

import hashlib
import os
from pathlib import Path

from filelock import FileLock

from vp_pipeline import documents
from vp_pipeline.dbt import executable
from vp_pipeline.dbt.environment import TARGETS, dbt_environment, large_warehouse
from vp_pipeline.failures import DamagedDataError, PermanentError, file_failure
from vp_pipeline.settings import PROJECT_ROOT, Settings
from vp_pipeline.sources.registry import SOURCES

DBT_PROJECT_DIR = PROJECT_ROOT / "dbt_project"
# The columns of the models, their types and lineage (`vp_pipeline/dbt/column_lineage.py` makes it).
COLUMNS_FILE = DBT_PROJECT_DIR / "columns.json"
# What the metrics mean (`vp_pipeline/publishing/metrics.py`); it is beside the manifest and as fresh.
SEMANTIC_MANIFEST = "semantic_manifest.json"
# What a manifest is derived from; when one of these is newer, the project is parsed again.
_INPUTS = ("dbt_project.yml", "profiles.yml", "models", "macros", "seeds", "snapshots", "tests")


def manifest_path(settings: Settings) -> Path:
    """The manifest of the dbt project for the target of the settings, parsed again when a file of the project is newer.

    Connects to nothing and passes no secret to dbt.

    Raises:
        PermanentError: dbt cannot parse the project, or its files cannot be written.
    """
    manifest = target_dir(settings) / "manifest.json"
    try:
        if _is_fresh(manifest) and _is_whole(manifest):
            return manifest
        manifest.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(manifest.parent / "manifest.lock"):
            if not (_is_fresh(manifest) and _is_whole(manifest)):
                _parse(settings, manifest)
    except OSError as error:
        raise file_failure(error) or error from None
    return manifest


def target_dir(settings: Settings) -> Path:
    """The folder of the parsed project. A manifest names relations as its target does, so each target has its own. On
    Snowflake the names of the database and of the large models' warehouse are part of it too. Where some sources are
    off, so has each choice of sources; and so has another dbt."""
    enabled = settings.enabled_sources
    choice = "" if enabled == SOURCES else f".{'-'.join(source.name for source in enabled)}"
    folder = DBT_PROJECT_DIR / "target" / f"{TARGETS[settings.env]}{choice}{_of_another_dbt(settings)}"
    if settings.env == "local":
        return folder
    return folder / f"{settings.snowflake_database}.{large_warehouse(settings)}"


def parsed_project(manifest: Path) -> Path:
    """What dbt itself reads of the project that `manifest` is of, so that a command parses nothing."""
    return _scratch(manifest) / "partial_parse.msgpack"


def project_arguments(settings: Settings) -> list[str]:
    """The arguments that every command takes: the project and the target."""
    project = [f"--project-dir={DBT_PROJECT_DIR}", f"--profiles-dir={DBT_PROJECT_DIR}"]
    return [*project, f"--target={TARGETS[settings.env]}"]


def _parse(settings: Settings, manifest: Path) -> None:
    from vp_pipeline.dbt import in_process  # deferred import: dbt and Dagster, which a fresh manifest does not need

    scratch = _scratch(manifest)
    arguments = [*project_arguments(settings), f"--target-path={scratch}", f"--log-path={scratch}"]
    environment = dbt_environment(settings, connects=False)
    error: object = (
        executable.parse(settings.dbt_executable, arguments, environment)
        if settings.dbt_executable
        else in_process.parse(arguments, environment)
    )
    if error is not None:
        raise PermanentError(f"dbt cannot parse {DBT_PROJECT_DIR}: {error}. Run `dbt parse` there to see where.")
    (scratch / SEMANTIC_MANIFEST).replace(manifest.with_name(SEMANTIC_MANIFEST))
    (scratch / "manifest.json").replace(manifest)
    os.utime(manifest)


def _of_another_dbt(settings: Settings) -> str:
    """Versions of dbt do not read one another's parsed projects."""
    path = settings.dbt_executable
    return f".dbt-{hashlib.sha256(str(path).encode()).hexdigest()[:8]}" if path else ""


def _scratch(manifest: Path) -> Path:
    return manifest.parent / "parse"


def _is_whole(manifest: Path) -> bool:
    """Whether the files of a parsed project are as dbt wrote them, to their ends; they are written anew where not."""
    try:
        for file, part in ((manifest, "nodes"), (manifest.with_name(SEMANTIC_MANIFEST), "semantic_models")):
            found = documents.read(file, "The project is parsed again.")
            if found is None or part not in found:
                raise DamagedDataError(f"{file} has no {part}. The project is parsed again.")
    except DamagedDataError as error:
        documents.LOG.warning("%s", error)
        return False
    return parsed_project(manifest).is_file()


def _is_fresh(manifest: Path) -> bool:
    if not manifest.exists():
        return False
    made = manifest.stat().st_mtime
    files = (
        file
        for name in _INPUTS
        for path in [DBT_PROJECT_DIR / name]
        for file in (path, *path.rglob("*"))  # folders too: theirs is newer when a file was removed
    )
    return all(file.stat().st_mtime <= made for file in files if file.exists())
