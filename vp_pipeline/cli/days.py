"""`vp days`: what is there of each day, a line a day."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Annotated

from rich.console import Console

from vp_pipeline.cli.terminal import console
from vp_pipeline.cli.terminal.options import AsCsv, AsJson, chosen_form, day_option
from vp_pipeline.cli.terminal.tables import Column, Form, print_rows
from vp_pipeline.settings import load_settings

if TYPE_CHECKING:
    from vp_pipeline.automation.day_overview import DayOverview


_LAYERS = ("bronze", "silver", "raw", "in_marts", "published")
# In a table one column for all layers: with a column for each, a line of 80 columns would have no room for a remark.
_COLUMNS = (Column("day"), Column("there", prose=True), Column("rows"), Column("remarks", prose=True))
_WHAT = ("rows", "failed_checks", "excluded_because", "excluded_answers", "without")
_FIELDS = (*_WHAT, "pending", "of_older_code", "publications")


def days(
    from_: Annotated[date | None, day_option("--from", "First UTC day. Default: the first there is.")] = None,
    to: Annotated[date | None, day_option("--to", "Last day, included. Default: the last there is.")] = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """What is there of each day: layer by layer, red checks, exclusions and why, in which publication.

    The same, as the last build left it, is the published table mon_day.
    """
    from vp_pipeline.automation.day_overview import day_overviews
    from vp_pipeline.build import build_definitions
    from vp_pipeline.cli.local_runs.instance import project_instance
    from vp_pipeline.environments.environment import build_environment

    form = chosen_form(as_json=as_json, as_csv=as_csv)
    settings = load_settings()
    graph = build_definitions(settings).resolve_asset_graph()
    checks = sorted((key for key in graph.asset_check_keys if graph.get_check_spec(key).blocking), key=str)
    with project_instance(settings) as instance:
        found = day_overviews(build_environment(settings), instance, checks, from_, to)
    if found or form != "table":
        print_days(found, form)
    else:
        console.print("There is no day yet. `vp run` lands one.")


def print_days(found: "Sequence[DayOverview]", form: Form, out: Console = console) -> None:
    """Prints a line per day; for programs, every field of it."""
    if form == "table":
        print_rows(_COLUMNS, [(each.day, _there(each), each.rows, "; ".join(each.remarks)) for each in found], out=out)
        return
    names = ("day", *_LAYERS, *_FIELDS)
    values = [[getattr(each, name) for name in names] for each in found]
    if form == "csv":
        values = [[" ".join(each) if isinstance(each, tuple) else each for each in row] for row in values]
    print_rows([Column(name) for name in names], values, form)


def _there(day: "DayOverview") -> str:
    there = [name.removeprefix("in_") for name in _LAYERS if getattr(day, name)]
    return "everywhere" if len(there) == len(_LAYERS) else ", ".join(there) or "nowhere"
