"""`vp plan`: what a run would restate because the code has changed, before anything runs."""

import dataclasses
import json
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from vp_pipeline.cli.terminal import console
from vp_pipeline.settings import load_settings

if TYPE_CHECKING:
    from vp_pipeline.planning.report import Plan, PlannedModel

SOMETHING = 2  # the exit code where something differs


def plan(
    as_json: Annotated[bool, typer.Option("--json", help="Print the plan as JSON.")] = False,
) -> None:
    """List what the next run restates because its code has changed: which models, why, what depends on them, and what
    it costs. Nothing is changed. Exit code 0: nothing differs; 2: something does."""
    from vp_pipeline.environments.environment import build_environment
    from vp_pipeline.planning.report import plan_of

    settings = load_settings()
    found = plan_of(settings, build_environment(settings).build_warehouse())
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(found), indent=2))
    elif found.is_empty:
        console.print("Nothing differs: everything was made by the code that is there now.")
    else:
        _print(found, refuses=settings.refuses_code_changes)
    raise typer.Exit(0 if found.is_empty else SOMETHING)


def _print(found: "Plan", *, refuses: bool) -> None:
    table = Table(header_style="bold", title_justify="left")
    for name in ("model", "why", "published columns"):
        table.add_column(name, overflow="fold")
    for name in ("models below", "rows"):
        table.add_column(name, justify="right")
    for model in found.models:
        table.add_row(
            model.relation,
            ", ".join(model.reasons) or f"[dim]reads {', '.join(model.because_of)}[/dim]",
            _shape(model),
            f"{len(model.read_by)}",
            "" if model.rows is None else f"{model.rows:,}",
        )
    console.print(table)
    for name in found.gone:
        console.print(f"{name} is gone from the project: its table is dropped.")
    rows = sum(model.rows or 0 for model in found.models)
    console.print(f"{len(found.models)} models, {rows:,} rows. ", end="")
    if refuses:
        console.print("VP_ON_CODE_CHANGE is `refuse`: runs stop until `vp plan --apply`.", markup=False)
    else:
        console.print("The next run restates them, in the same build and under the same tests.")


def _shape(model: "PlannedModel") -> str:
    return ", ".join([*(f"+{name}" for name in model.added), *(f"-{name}" for name in model.dropped)])
