"""Options that several commands have, and how options look in `--help`.

Here: days, the form of a table, flags. Not here: what a command does with them.
"""

from collections.abc import Sequence
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from vp_pipeline.cli.terminal import console
from vp_pipeline.cli.terminal.tables import Form
from vp_pipeline.partitions import newest_finished_day
from vp_pipeline.sources.registry import SOURCES

_NEWEST = ("yesterday", "latest")
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="Print CSV.")]
Recordings = Annotated[
    list[str] | None,
    typer.Option(
        metavar="[SOURCE=]DIR",
        help=f"A folder of recorded responses of a source, which take the place of its API. Without SOURCE: of "
        f"{SOURCES[0].name}. May be repeated.",
    ),
]


def day_option(name: str, help_: str) -> Any:
    """An option whose value is a UTC day."""
    return typer.Option(name, parser=day_of, metavar="DAY", help=help_)


def day_of(text: str) -> date:
    """The UTC day that a person names: YYYY-MM-DD; `yesterday` and `latest` are the newest finished one."""
    if text in _NEWEST:
        return newest_finished_day()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text} is not a day. Write it as 2026-03-01, or yesterday, or latest.") from None


def recorded(named: Sequence[str] | None) -> dict[str, Any]:
    """The settings that `--recordings` gives, by name: each source's folder."""
    found: dict[str, Path] = {}
    for text in named or ():
        before, equals, after = text.partition("=")
        source, folder = (before, Path(after)) if equals else (SOURCES[0].name, Path(text))
        if source not in {known.name for known in SOURCES}:
            raise typer.BadParameter(f"{source} is not a source", param_hint="--recordings")
        if not folder.is_dir():
            raise typer.BadParameter(f"{folder} is not a folder", param_hint="--recordings")
        found[f"{source}_recordings"] = folder.resolve()
    return found


def chosen_form(*, as_json: bool, as_csv: bool) -> Form:
    """How rows are to be printed. Where a program reads them, everything else that is printed goes to stderr."""
    if as_json and as_csv:
        raise typer.BadParameter("give either --json or --csv")
    console.stderr = as_json or as_csv
    return "json" if as_json else "csv" if as_csv else "table"


def print_version(asked: bool) -> None:
    """Prints the version of the project, and ends the command."""
    if asked:
        typer.echo(f"vp {metadata.version('vp-pipeline')}")
        raise typer.Exit


class Command(TyperCommand):
    """A command whose flags are shown without a value: they take none."""

    def get_params(self, ctx: Any) -> Any:
        return _without_value(super().get_params(ctx))


class Group(TyperGroup):
    """A group of commands; its flags as those of `Command`."""

    def get_params(self, ctx: Any) -> Any:
        return _without_value(super().get_params(ctx))


def _without_value(params: Any) -> Any:
    for param in params:
        if getattr(param, "is_flag", False):
            param.metavar = ""
    return params
