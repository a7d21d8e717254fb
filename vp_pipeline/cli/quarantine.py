"""`vp quarantine`: look at what broke a contract, and try it again after a fix."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated

import typer

from vp_pipeline.cli.run import run_from_bronze
from vp_pipeline.cli.terminal import console
from vp_pipeline.cli.terminal.options import AsCsv, AsJson, Command, Group, chosen_form, day_option
from vp_pipeline.cli.terminal.tables import Column, print_rows
from vp_pipeline.lake.quarantine import Quarantined, quarantined
from vp_pipeline.settings import load_settings

app = typer.Typer(cls=Group, help="Records that broke their contract: list, show, retry.", no_args_is_help=True)

Source = Annotated[str | None, typer.Option(help="Of this source only, by its name.")]
TableName = Annotated[str | None, typer.Option("--table", help="Of this table only, such as price.")]
Day = Annotated[date | None, day_option("--date", "Of this UTC day only.")]
_COLUMNS = (Column("source"), Column("table"), Column("day"), Column("records"), Column("reason", prose=True))
_RECORDS = tuple(map(Column, ("source", "table", "day", "entity", "reason", "source_object", "source_line", "record")))


@app.command("list", cls=Command)
def list_(
    source: Source = None, table: TableName = None, day: Day = None, as_json: AsJson = False, as_csv: AsCsv = False
) -> None:
    """How many records are in quarantine, and why, by source, table and day."""
    form = chosen_form(as_json=as_json, as_csv=as_csv)
    found = _found(source, table, day)
    rows = [
        (each.source, each.table, each.day, count, reason)
        for each in found
        for reason, count in each.reasons.most_common()
    ]
    if not rows and form == "table":
        console.print("Nothing is in quarantine.")
    else:
        print_rows(_COLUMNS, rows, form)


@app.command(cls=Command)
def show(
    source: Source = None,
    table: TableName = None,
    day: Day = None,
    limit: Annotated[int, typer.Option(min=1, help="Records to show.")] = 20,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """The records themselves: the reason, where each landed, and the piece as JSON."""
    form = chosen_form(as_json=as_json, as_csv=as_csv)
    found = _found(source, table, day)
    total = sum(len(each.rows) for each in found)
    rows = [(each, row) for each in found for row in each.rows][:limit]
    if form != "table":
        values = [
            (each.source, each.table, each.day, row.entity, row.reason, row.source_object, row.source_line, row.record)
            for each, row in rows
        ]
        print_rows(_RECORDS, values, form)
        return
    for each, row in rows:
        about = f" of {row.entity}" if row.entity else ""
        console.print(f"[bold]{each.source}/{each.table} {each.day}[/bold]{about}: {row.reason}")
        console.print(f"  {row.source_object} line {row.source_line}", style="dim", markup=False)
        console.print(f"  {row.record}", markup=False, soft_wrap=True)
    console.print(f"{len(rows):,} of {total:,} records." if total else "Nothing is in quarantine.")


@app.command(cls=Command)
def retry(source: Source = None, table: TableName = None, day: Day = None) -> None:
    """Decode the days again from bronze, with the present code and contracts, and build on to the published marts.

    All tables of a day are decoded, because a day is written as a whole. The API is not called.
    """
    before = _found(source, table, day)
    days = sorted({each.day for each in before})
    if not days:
        console.print("Nothing is in quarantine.")
        return
    code = run_from_bronze(load_settings(), days)
    left = {(e.source, e.table, e.day): len(e.rows) for e in _found(source, table, None)}
    for each in before:
        still = left.get((each.source, each.table, each.day), 0)
        console.print(
            f"{each.source}/{each.table} {each.day}: {len(each.rows) - still:,} cleared, {still:,} still in quarantine."
        )
    raise typer.Exit(code)


def _found(source: str | None, table: str | None, day: date | None) -> Sequence[Quarantined]:
    from vp_pipeline.environments.environment import build_environment

    lake = build_environment(load_settings()).build_lake()
    return list(quarantined(lake, source, table, day))
