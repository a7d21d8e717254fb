"""`vp metrics`: the governed metrics of the marts, listed and queried."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import typer

from vp_pipeline.cli.terminal import console
from vp_pipeline.cli.terminal.options import AsCsv, AsJson, chosen_form, day_option
from vp_pipeline.cli.terminal.tables import Column, Rows, print_rows
from vp_pipeline.publishing.metrics import amount
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
    from_: Annotated[date | None, day_option("--from", "First day.")] = None,
    to: Annotated[date | None, day_option("--to", "Last day, included.")] = None,
    order: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Order by; -NAME for descending.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most this many rows.")] = None,
    sql: Annotated[bool, typer.Option("--sql", help="Print the SQL instead of running it.")] = False,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Query the governed metrics (average_price, in_stock_rate, deal_count, ...) of the published marts."""
    from vp_pipeline.dbt.project import SEMANTIC_MANIFEST, manifest_path
    from vp_pipeline.environments.environment import build_environment
    from vp_pipeline.publishing.metrics import MetricQuery, Metrics

    form = chosen_form(as_json=as_json, as_csv=as_csv)
    settings = load_settings()
    marts = build_environment(settings).build_published_marts()
    governed = Metrics(manifest_path(settings).with_name(SEMANTIC_MANIFEST), settings.engine, marts.store.schema)
    if not names:
        print_rows(_KNOWN, _known(governed), form)
        return
    query = MetricQuery(tuple(names), tuple(by or ()), tuple(where or ()), from_, to, tuple(order or ()), limit)
    if sql:
        console.print(governed.sql(query), soft_wrap=True)
        return
    units = {metric.name: metric.unit for metric in governed.all}
    found = governed.query(marts, query)
    columns = [
        Column(name, _title(name, units.get(name, ""), found), _cell, right=name in units) for name in found.columns
    ]
    print_rows(columns, with_currency(found, units) if form == "table" else found.rows, form)


def _known(metrics: "Metrics") -> Rows:
    """Every metric, with the dimensions by which it may be broken down."""
    return [
        (metric.name, metric.description, metric.unit, ", ".join(metrics.dimensions([metric.name])))
        for metric in metrics.all
    ]


_KNOWN = (Column("metric"), Column("what_it_is", prose=True), Column("unit"), Column("by", prose=True))


def _title(name: str, unit: str, found: "MetricResult") -> str:
    """A column's heading: with the unit, unless it is beside each value."""
    return name if not unit or unit in found.columns else f"{name} ({unit})"


def with_currency(found: "MetricResult", units: Mapping[str, str]) -> Rows:
    """The rows, with amounts of money as texts that have their currency. `units`: of each metric."""
    currency_of = {
        number: found.columns.index(units[name])
        for number, name in enumerate(found.columns)
        if units.get(name) in found.columns
    }
    return [
        tuple(
            amount(value, str(row[currency_of[number]])) if number in currency_of and value is not None else value
            for number, value in enumerate(row)
        )
        for row in found.rows
    ]


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case int():
            return f"{value:,}"
        case float() | Decimal():
            return f"{value:,.4f}"
        case datetime():
            return f"{value:%Y-%m-%d}"  # times of metrics are days or longer
        case _:
            return str(value)
