"""Snowflake's objects from `infra/snowflake/`: numbered files, in order, each statement idempotent.

Here: reading the files and running them. Not here: what they create (see the files), and signing in (the warehouse).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from vp_pipeline.failures import PermanentError
from vp_pipeline.settings import PROJECT_ROOT, Settings
from vp_pipeline.warehouse.connection import Connection
from vp_pipeline.warehouse.snowflake import ASSIGNMENTS, SESSION_PARAMETERS

FOLDER = PROJECT_ROOT / "infra" / "snowflake"
_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
# What the files say of the parameters that results depend on, as Snowflake shows them: parts of statements, no names.
_SHOWN = {name: str(value).lower() if value is False else value for name, value in SESSION_PARAMETERS.items()}
_PARAMETERS = {
    "session_parameters": " ".join(ASSIGNMENTS),
    "set_as_needed": " or ".join(f"""("key" = '{name}' and "value" = '{value}')""" for name, value in _SHOWN.items()),
    "session_parameter_count": str(len(SESSION_PARAMETERS)),
}


@dataclass(frozen=True)
class Step:
    """One statement of one file."""

    file: str
    statement: str


@dataclass(frozen=True)
class Executed:
    """A statement that was run: whether it created anything, as far as Snowflake reports it, and its message."""

    step: Step
    changed: bool
    message: str


def places(settings: Settings, aws_role_arn: str) -> dict[str, str]:
    """What the files' `${…}` are: the names of the settings, and what derives from the pipeline's role: of VP_PIPELINE
    come VP_LOADER, VP_READ and so on, so that two environments in one account share no name.
    """
    role = settings.snowflake_role.lower()
    prefix = role.removesuffix("_pipeline")
    return {
        "database": settings.snowflake_database.lower(),
        "namespace": settings.snowflake_database.upper(),
        "prefix": prefix,
        "role": role,
        "reader_role": settings.snowflake_reader_role.lower(),
        "warehouse": settings.snowflake_warehouse.lower(),
        "warehouse_large": (settings.snowflake_warehouse_large or f"{prefix}_transform").lower(),
        "stage": settings.snowflake_stage.lower(),
        "file_format": settings.snowflake_file_format.lower(),
        "lake": str(settings.lake_url).removeprefix("s3://"),
        "aws_role_arn": aws_role_arn,
    }


def steps(places: Mapping[str, str], *, verify: bool = False, folder: Path = FOLDER) -> list[Step]:
    """The statements in order, with `${name}` replaced from `places`. `verify`: those that check (90 and up).

    Raises:
        PermanentError: a file has a `${name}` without a value, or the folder has no file.
    """
    found = [
        Step(file.name, _filled(file, statement, places))
        for file in sorted(folder.glob("[0-9][0-9]_*.sql"))
        if (file.name >= "90") == verify
        for statement in _statements(file.read_text(encoding="utf-8"))
    ]
    if not found:
        raise PermanentError(f"{folder} has no numbered SQL files: run this in a clone of the project.")
    return found


def apply(connection: Connection, planned: list[Step]) -> Iterator[Executed]:
    """Runs each statement, in order, up to the first that fails. What ran before stays, and may be run again.

    Raises:
        PermanentError, TransientError: Snowflake rejects a statement, which is named with its file.
    """
    for step in planned:
        try:
            row = connection.execute(step.statement).fetchone()
        except PermanentError as error:
            raise PermanentError(f"{step.file}: {error} Fix it, then apply again from the start.") from None
        if row is None and step.statement.lower().startswith(("select", "show")):
            raise PermanentError(f"{step.file}: no row for `{' '.join(step.statement.split())}`. Apply first.")
        message = str(row[0]) if row else "done"
        # `use`, `grant` and `alter … set` report the same whether or not they changed anything.
        yield Executed(step, changed="successfully created" in message, message=message)


def _statements(text: str) -> list[str]:
    """The statements of a file. No statement of ours has a semicolon inside."""
    without_comments = re.sub(r"(?m)^\s*--.*$", "", text)
    return [statement.strip() for statement in without_comments.split(";") if statement.strip()]


def _filled(file: Path, statement: str, places: Mapping[str, str]) -> str:
    def value(place: re.Match[str]) -> str:
        if place[1] in _PARAMETERS:
            return _PARAMETERS[place[1]]
        if not places.get(place[1]):
            raise PermanentError(f"{file.name} needs a value for {place[0]}: pass --{place[1].replace('_', '-')}.")
        return places[place[1]].replace("'", "''")

    return _PLACEHOLDER.sub(value, statement)
