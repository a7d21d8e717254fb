"""`vp metrics`: the governed metrics of the marts, listed and queried."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from vp_pipeline.cli.terminal import console
from vp_pipeline.settings import load_settings

if TYPE_CHECKING:
    from vp_pipeline.publishing.metrics import MetricResult, Metrics


def metrics(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[METRIC]...", help="What to query. Without: list them.")
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Break down by this, such as product__current_brand or metric_time__month; may repeat."
        ),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(metavar="SQL", help="Such as \"{{ Dimension('product__asin') }} = 'B0SBXTWO06'\"; may repeat."),
    ] = None,
    from_: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], metavar="DAY", help="First day.")
    ] = None,
    to: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="DAY", help="Last day, included.")
    ] = None,
    order: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Order by; -NAME for descending.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most this many rows.")] = None,
    sql: Annotated[bool, typer.Option("--sql", help="Print the SQL instead of running it.")] = False,
) -> None:
    """Query the governed metrics (average_price, in_stock_rate, deal_count, ...) of the marts."""
    from vp_pipeline.dbt.project import SEMANTIC_MANIFEST, manifest_path
    from vp_pipeline.environments.environment import build_environment
    from vp_pipeline.publishing.metrics import MetricQuery, Metrics

    settings = load_settings()
    governed = Metrics(manifest_path(settings).with_name(SEMANTIC_MANIFEST), settings.engine)
    if not names:
        console.print(_metrics_table(governed))
        return
    days = (from_.date() if from_ else None, to.date() if to else None)
    query = MetricQuery(tuple(names), tuple(by or ()), tuple(where or ()), *days, tuple(order or ()), limit)
    if sql:
        console.print(governed.sql(query), soft_wrap=True)
        return
    console.print(_rows_table(governed.query(build_environment(settings).build_warehouse(), query)))


def _metrics_table(metrics: "Metrics") -> Table:
    """Every metric, with the dimensions by which it may be broken down."""
    table = Table(header_style="bold", show_lines=True)
    for name in ("metric", "what it is", "unit", "by"):
        table.add_column(name, overflow="fold")
    for metric in metrics.all:
        table.add_row(metric.name, metric.description, metric.unit, "\n".join(metrics.dimensions([metric.name])))
    return table


def _rows_table(result: "MetricResult") -> Table:
    """The rows of a query; numbers to the right."""
    table = Table(header_style="bold")
    for number, name in enumerate(result.columns):
        numeric = all(isinstance(row[number], int | float | Decimal | None) for row in result.rows)
        table.add_column(name, justify="right" if numeric else "left")
    for row in result.rows:
        table.add_row(*(_cell(value) for value in row))
    return table


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case float():
            return f"{value:,.4f}"
        case datetime():
            return f"{value:%Y-%m-%d}"  # times of metrics are days or longer
        case _:
            return str(value)
