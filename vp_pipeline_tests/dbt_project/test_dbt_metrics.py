"""The governed metrics: each equals the mart's own SQL, however it is broken down."""

from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest

from vp_pipeline.dbt.project import SEMANTIC_MANIFEST, manifest_path
from vp_pipeline.failures import PermanentError
from vp_pipeline.publishing.duckdb_reader import DuckDBPublishedFile
from vp_pipeline.publishing.metrics import MetricQuery, Metrics
from vp_pipeline.publishing.reader import PublishedMarts
from vp_pipeline_tests.conftest import pipeline_settings
from vp_pipeline_tests.dbt_project.conftest import EVERY_SOURCE, Warehouse
from vp_pipeline_tests.dbt_project.order_states import START, STATUSES, random_document, raw_rows
from vp_pipeline_tests.dbt_project.publications import publish

_PRICES = "mart.fct_price_history_daily join mart.dim_product using (product_key)"
_PRICE_MINUTES = "price_minor_minutes / power(10, minor_digits)"
_SHARE = "cast(sum({}) as double) / nullif(sum({}), 0)"
# Metric → (relation, condition, expression over it, the mart's column of the day).
DEFINED = {
    "average_price": (
        _PRICES,
        "series = 'NEW'",
        _SHARE.format(_PRICE_MINUTES, "in_stock_minutes"),
    ),
    "in_stock_rate": (_PRICES, "series = 'NEW'", _SHARE.format("in_stock_minutes", "observed_minutes")),
    "best_rank": ("mart.mart_product_daily", "true", "min(sales_rank)"),
    "buy_box_share": (
        "mart.fct_buy_box_daily join mart.dim_product using (product_key)",
        "true",
        _SHARE.format("won_minutes", "observed_minutes"),
    ),
    "review_velocity": (
        "mart.fct_review_history_daily join mart.dim_product using (product_key)",
        "true",
        "cast(sum(new_reviews) as double) / nullif(count(new_reviews), 0)",
    ),
    "deal_count": (
        "(select *, as_of_date as observed_date from mart.mart_deals) join mart.dim_product using (product_key)",
        "true",
        "count(*)",
    ),
}
# What a query is broken down by → the same in SQL.
BROKEN_DOWN = {
    ("product__currency",): "{p}currency",
    ("product__currency", "product__current_brand"): "{p}currency, {brand}",
    ("metric_time__month", "product__currency"): "date_trunc('month', observed_date), {p}currency",
}


@pytest.fixture(scope="module")
def metrics(tmp_path_factory: pytest.TempPathFactory) -> Metrics:
    settings = pipeline_settings(tmp_path_factory.mktemp("data"), chosen_sources=EVERY_SOURCE)
    return Metrics(manifest_path(settings).with_name(SEMANTIC_MANIFEST))


@pytest.fixture(scope="module")
def marts(three_products: Path, tmp_path_factory: pytest.TempPathFactory) -> PublishedMarts:
    """A publication of the three products, and no warehouse."""
    return publish(three_products, tmp_path_factory.mktemp("published"))


def rows_of(marts: PublishedMarts, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(marts.address, read_only=True) as connection:
        return connection.execute(query).fetchall()


def figures(metrics: Metrics, marts: PublishedMarts, query: MetricQuery) -> dict[tuple[object, ...], object]:
    """The result, broken down (in the order of the query) → figure."""
    result = metrics.query(marts, query)
    (figure,) = (result.columns.index(name) for name in query.metrics)
    parts = [result.columns.index(name) for name in query.by]
    assert len(result.columns) == 1 + len(parts)
    return {tuple(row[part] for part in parts): row[figure] for row in result.rows}


@pytest.mark.parametrize("by", BROKEN_DOWN)
@pytest.mark.parametrize("name", DEFINED)
def test_a_metric_is_the_marts_own_figure(
    metrics: Metrics, marts: PublishedMarts, name: str, by: tuple[str, ...]
) -> None:
    relation, condition, figure = DEFINED[name]
    prefix = "" if relation == "mart.mart_product_daily" else "dim_product."
    columns = BROKEN_DOWN[by].format(p=prefix, brand=f"{prefix}brand" if prefix else "current_brand")
    width = len(by)
    rows = rows_of(marts, f"select {columns}, {figure} from {relation} where {condition} group by {columns}")
    assert len(rows) >= 2
    found = figures(metrics, marts, MetricQuery((name,), by=by))
    assert found.keys() == {row[:width] for row in rows}
    for row in rows:
        assert found[row[:width]] == pytest.approx(row[width], rel=1e-12), row


def test_the_parts_of_a_day_are_the_marts_own_columns(metrics: Metrics, marts: PublishedMarts) -> None:
    """One product and day at a time a metric is the very column that the marts have."""
    found = figures(metrics, marts, MetricQuery(("in_stock_rate",), by=("metric_time__day", "product")))
    rows = rows_of(
        marts,
        "select cast(observed_date as timestamp), product_key, in_stock_share from mart.mart_product_daily"
        " where in_stock_share is not null",
    )
    assert len(rows) > 250
    assert {(at, key): share for at, key, share in rows} == {
        key: share for key, share in found.items() if share is not None
    }


def test_money_is_never_added_over_currencies(metrics: Metrics, marts: PublishedMarts) -> None:
    result = metrics.query(marts, MetricQuery(("average_price",)))
    assert "product__currency" in result.columns
    assert len(result.rows) == 2


def test_a_query_may_be_filtered(metrics: Metrics, marts: PublishedMarts) -> None:
    where = ("{{ Dimension('product__currency') }} = 'USD'",)
    days = {"first": date(2026, 9, 1), "last": date(2026, 9, 30)}
    found = figures(metrics, marts, MetricQuery(("review_velocity",), by=("product__currency",), where=where, **days))
    ((expected,),) = rows_of(
        marts,
        "select cast(sum(new_reviews) as double) / count(new_reviews) from mart.fct_review_history_daily"
        " where domain_id = 1 and observed_date between '2026-09-01' and '2026-09-30'",
    )
    assert found == {("USD",): expected}


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (MetricQuery(("margin",)), "Unknown metric: margin. There are: added_reviews"),
        (MetricQuery(("average_price",), by=("product__shelf",)), "product__current_brand"),
        (
            MetricQuery(("average_price",), where=("{{ Dimension('product__shelf') }} = 1",)),
            "cannot be queried",
        ),
        (MetricQuery(("average_price",), where=("shelf = 1",)), "refused the query"),
    ],
)
def test_an_invalid_query_is_rejected_with_a_reason(
    metrics: Metrics, marts: PublishedMarts, query: MetricQuery, message: str
) -> None:
    with pytest.raises(PermanentError, match=message):
        metrics.query(marts, query)


def test_before_the_first_run_there_is_nothing_to_query(metrics: Metrics, tmp_path: Path) -> None:
    nothing = PublishedMarts(DuckDBPublishedFile(tmp_path / "none.duckdb"))
    with pytest.raises(PermanentError, match="Nothing was published yet"):
        metrics.query(nothing, MetricQuery(("deal_count",)))


@pytest.fixture(scope="module")
def sales(tmp_path_factory: pytest.TempPathFactory, manifest: Any) -> PublishedMarts:
    """A publication with forty orders: cancelled and pending ones and replacements are among them."""
    warehouse = Warehouse(tmp_path_factory.mktemp("orders"), manifest)
    random = Random(20261110)
    documents = [
        random_document(
            random, number, random.choice(STATUSES), START + timedelta(hours=6 * number), START + timedelta(days=40)
        )
        for number in range(40)
    ]
    for name, rows in zip(("order", "order_item"), raw_rows(documents), strict=True):
        warehouse.load(name, START.date(), rows)
    selected = ("--select", "+fct_sales_daily", "--indirect-selection", "buildable")
    warehouse.must("build", "--exclude-resource-type", "unit_test", *selected)
    warehouse.execute("checkpoint")  # dbt keeps the file open in this process
    return publish(warehouse.path, tmp_path_factory.mktemp("published_orders"))


_REVENUE = (
    "select date_trunc('month', local_date), currency, sum(revenue), sum(revenue) / nullif(sum(priced_units), 0)"
    " from mart.fct_sales_daily group by 1, 2"
)


def test_sales_are_the_marts_own_figures(metrics: Metrics, sales: PublishedMarts) -> None:
    """The metrics are of the items, and the mart of the days: two ways to the same sums."""
    query = MetricQuery(("revenue", "average_selling_price"), by=("order_item__local_date__month",))
    result = metrics.query(sales, query)
    assert result.columns[:2] == ("order_item__local_date__month", "order_item__sold_currency")
    wanted = rows_of(sales, _REVENUE)
    assert len(wanted) >= 4
    found = {(month, currency): figures for month, currency, *figures in result.rows}
    assert found.keys() == {row[:2] for row in wanted}
    for month, currency, revenue, average in wanted:
        assert found[month, currency][0] == revenue
        assert found[month, currency][1] == (average and pytest.approx(average, rel=1e-12))


def test_units_and_cancellations_count_no_replacement(metrics: Metrics, sales: PublishedMarts) -> None:
    ((units, cancelled, items),) = rows_of(
        sales,
        "select sum(units), count(*) filter (where revenue_state = 'cancelled'), count(*) from mart.fct_order_item"
        " where not is_replacement",
    )
    assert 0 < cancelled < items
    result = metrics.query(sales, MetricQuery(("units_sold", "cancellation_rate")))
    assert result.rows == ((units, pytest.approx(cancelled / items)),)


def test_every_metric_is_described(metrics: Metrics) -> None:
    assert {metric.name for metric in metrics.all} >= DEFINED.keys()
    for metric in metrics.all:
        assert len(metric.description) > 20, metric.name
        assert metric.unit, metric.name
        assert not {"product__current_brand", "location__name"}.isdisjoint(metrics.dimensions([metric.name]))
