"""The governed metrics over two made-up states of the marts: which have another value, of which part."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from vp_pipeline.dbt.project import SEMANTIC_MANIFEST, manifest_path
from vp_pipeline.planning.diff_duckdb import attached_sides
from vp_pipeline.planning.diff_metrics import MetricChange, metric_changes
from vp_pipeline.publishing.metrics import Metrics
from vp_pipeline_tests.conftest import pipeline_settings

DAY = "date '2026-01-01' as observed_date"
PRODUCTS = "select * from (values ('a', 'EUR'), ('b', 'USD')) as products(product_key, currency)"
PRICES = (
    f"select product_key, 'NEW' as series, {DAY}, price * 60 as price_minutes, 60 as in_stock_minutes, "
    "120 as observed_minutes from (values {}) as prices(product_key, price)"
)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as made:
        for side, prices in (("before", "('a', 100), ('b', 50)"), ("after", "('a', 150), ('c', 50)")):
            made.execute(f"attach '{tmp_path / side}.duckdb' as {side}")
            made.execute(f"create schema {side}.mart")
            made.execute(f"create table {side}.mart.dim_product as {PRODUCTS}")
            made.execute(f"create table {side}.mart.fct_price_history_daily as {PRICES.format(prices)}")
        yield made


@pytest.fixture(scope="module")
def metrics(tmp_path_factory: pytest.TempPathFactory) -> Metrics:
    settings = pipeline_settings(tmp_path_factory.mktemp("metrics"))
    return Metrics(manifest_path(settings).with_name(SEMANTIC_MANIFEST))


def test_metrics_that_read_a_table_are_compared_by_their_parts(
    connection: duckdb.DuckDBPyConnection, metrics: Metrics
) -> None:
    changes, unchanged = metric_changes(attached_sides(connection), metrics, ["mart.fct_price_history_daily"])
    assert [change for change in changes if change.metric == "average_price"] == [
        MetricChange("average_price", "EUR", (("product__currency", "EUR"),), 100.0, 150.0),
        MetricChange("average_price", "USD", (("product__currency", "USD"),), 50.0, None),
        MetricChange("average_price", "", (("product__currency", None),), None, 50.0),
    ]
    assert {change.difference for change in changes if change.before is None or change.after is None} == {None}
    assert {"in_stock_rate", "new_in_stock_minutes"} <= set(unchanged)
    assert "deal_count" not in unchanged  # it reads another table


def test_a_metric_of_a_table_that_is_not_there_has_no_value(
    connection: duckdb.DuckDBPyConnection, metrics: Metrics
) -> None:
    connection.execute("create table after.mart.mart_deals as select 'a' as product_key, current_date as as_of_date")
    changes, _ = metric_changes(attached_sides(connection), metrics, ["mart.mart_deals"])
    assert changes == (MetricChange("deal_count", "deals", (), None, 1),)


def test_without_a_table_no_metric_is_queried(connection: duckdb.DuckDBPyConnection, metrics: Metrics) -> None:
    assert metric_changes(attached_sides(connection), metrics, []) == ((), ())
