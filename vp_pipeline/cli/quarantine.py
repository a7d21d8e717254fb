"""`vp quarantine`: look at what broke a contract, and try it again after a fix."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table

from vp_pipeline.cli.run import run_from_bronze
from vp_pipeline.cli.terminal import console
from vp_pipeline.lake.quarantine import Quarantined, quarantined
from vp_pipeline.settings import load_settings

app = typer.Typer(help="Records that broke their contract: list, show, retry.", no_args_is_help=True)

Source = Annotated[str | None, typer.Option(help="Of this source only, such as keepa.")]
TableName = Annotated[str | None, typer.Option("--table", help="Of this table only, such as price.")]
Day = Annotated[
    datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], metavar="DAY", help="Of this UTC day only.")
]


@app.command("list")
def list_(source: Source = None, table: TableName = None, day: Day = None) -> None:
    """How many records are in quarantine, and why, by source, table and day."""
    found = _found(source, table, day)
    if not found:
        console.print("Nothing is in quarantine.")
        return
    rows = Table(header_style="bold")
    for name in ("source", "table", "day"):
        rows.add_column(name)
    rows.add_column("records", justify="right")
    rows.add_column("reason")
    for each in found:
        for reason, count in each.reasons.most_common():
            rows.add_row(each.source, each.table, f"{each.day}", f"{count:,}", reason)
    console.print(rows)


@app.command()
def show(
    source: Source = None,
    table: TableName = None,
    day: Day = None,
    limit: Annotated[int, typer.Option(min=1, help="Records to show.")] = 20,
) -> None:
    """The records themselves: the reason, where each landed, and the piece as JSON."""
    found = _found(source, table, day)
    total = sum(len(each.rows) for each in found)
    rows = [(each, row) for each in found for row in each.rows][:limit]
    for each, row in rows:
        about = f" of {row.asin}" if row.asin else ""
        console.print(f"[bold]{each.source}/{each.table} {each.day}[/bold]{about}: {row.reason}")
        console.print(f"  {row.source_object} line {row.source_line}", style="dim", markup=False)
        console.print(f"  {row.record}", markup=False, soft_wrap=True)
    console.print(f"{len(rows):,} of {total:,} records." if total else "Nothing is in quarantine.")


@app.command()
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


def _found(source: str | None, table: str | None, day: datetime | None) -> Sequence[Quarantined]:
    from vp_pipeline.environments.environment import build_environment

    lake = build_environment(load_settings()).build_lake()
    return list(quarantined(lake, source, table, day.date() if day else None))
