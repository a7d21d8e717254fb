"""`vp plan`: what a run would restate because the code has changed, before anything runs."""

import dataclasses
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from vp_pipeline.cli.terminal import console
from vp_pipeline.cli.terminal.options import AsCsv, chosen_form
from vp_pipeline.cli.terminal.tables import Column, print_rows
from vp_pipeline.failures import PermanentError
from vp_pipeline.settings import Settings, load_settings

if TYPE_CHECKING:
    from vp_pipeline.lake.objects import Lake
    from vp_pipeline.planning.report import Plan, PlannedModel

SOMETHING = 2  # the exit code where something differs


def plan(
    as_json: Annotated[bool, typer.Option("--json", help="Print the plan as JSON.")] = False,
    as_csv: AsCsv = False,
    apply_: Annotated[
        bool, typer.Option("--apply", help="Restate it now, also where VP_ON_CODE_CHANGE is `refuse`.")
    ] = False,
) -> None:
    """List what the next run restates because its code has changed: which models and days, why, what depends on them,
    and what it costs. Nothing is changed. Exit code 0: nothing differs; 2: something does."""
    from vp_pipeline.environments.environment import build_environment
    from vp_pipeline.planning.report import plan_of

    form = chosen_form(as_json=as_json, as_csv=as_csv)
    settings = load_settings()
    environment = build_environment(settings)
    lake = environment.build_lake()
    found = plan_of(settings, environment.build_warehouse(), lake)
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(found), indent=2, default=str))
    elif form == "csv":
        print_rows(_COLUMNS, _rows(found), form)
    elif found.is_empty:
        console.print("Nothing differs: all that is built was made by the code that is there now.")
    else:
        _print(found, refuses=settings.refuses_code_changes)
    if not as_json:
        _print_not_restated(found)
    if apply_ and not found.is_empty:
        raise typer.Exit(_apply(settings, lake))
    raise typer.Exit(0 if found.is_empty else SOMETHING)


def _apply(settings: Settings, lake: "Lake") -> int:
    """One run of the newest day in silver, from bronze on, that may restate. Returns the exit code."""
    from vp_pipeline.assets.code_changes import APPLY_TAG
    from vp_pipeline.cli.run import run_from_bronze
    from vp_pipeline.lake import silver

    days = [day for stream in settings.streams for table in stream.tables for day in silver.days(lake, table)]
    if not days:
        raise PermanentError("Silver holds no day, so there is nothing to restate. Run a day first: `vp run`.")
    return run_from_bronze(settings, [max(days)], tags={APPLY_TAG: "true"})


def _print(found: "Plan", *, refuses: bool) -> None:
    if found.models:
        print_rows(_COLUMNS, _rows(found))
    for stream, days in found.days.items():
        which = f"{days[0]} to {days[-1]}" if len(days) > 1 else f"{days[0]}"
        console.print(f"The decoder of {stream} has changed: {len(days)} days are decoded again, {which}.")
    for name in found.gone:
        console.print(f"{name} is gone from the project: its table is dropped.")
    console.print(f"{found.cost}. ", end="", highlight=False)
    if refuses:
        console.print("VP_ON_CODE_CHANGE is `refuse`: runs stop until `vp plan --apply`.", markup=False)
    else:
        console.print("The next run restates them, in the same build and under the same tests.")


def _print_not_restated(found: "Plan") -> None:
    for stream, days in found.not_restated.items():
        listed = ", ".join(map(str, days))
        console.print(
            f"{stream}: {listed} could not be decoded again, and is excluded from the marts: see its checks. Every run "
            "tries again, and is red.",
            style="yellow",
            soft_wrap=True,
        )


def _shape(model: "PlannedModel") -> str:
    return ", ".join([*(f"+{name}" for name in model.added), *(f"-{name}" for name in model.dropped)])


def _rows(found: "Plan") -> list[Sequence[object]]:
    return [
        (
            model.relation,
            ", ".join(model.reasons) or f"reads {', '.join(model.because_of)}",
            _shape(model),
            len(model.read_by),
            model.rows,
            model.seconds,
        )
        for model in found.models
    ]


_COLUMNS = (
    Column("model"),
    Column("why", prose=True),
    Column("published_columns", prose=True),
    Column("models_below"),
    Column("rows"),
    Column("seconds"),
)
