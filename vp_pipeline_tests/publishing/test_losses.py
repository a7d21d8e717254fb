"""What a publication would take away from consumers is named: an order that they have and the build has not."""

from datetime import date
from pathlib import Path

import pytest

from vp_pipeline.publishing.duckdb import DuckDBPublications
from vp_pipeline.publishing.losses import LossError
from vp_pipeline.publishing.publisher import Publisher
from vp_pipeline.sources.sp_api.source import ORDERS
from vp_pipeline.sources.stream_days import StreamDay
from vp_pipeline.warehouse import ledger
from vp_pipeline.warehouse.duckdb import DuckDBWarehouse
from vp_pipeline.warehouse.excluded_answers import Answer, write_excluded

KEPT, GONE = "902-0000001-0000001", "902-0000002-0000002"
DAY = date(2026, 11, 20)


@pytest.fixture
def warehouse(tmp_path: Path) -> DuckDBWarehouse:
    """A green build with two orders; one has two items."""
    warehouse = DuckDBWarehouse(tmp_path / "warehouse.duckdb")
    with warehouse.connect() as connection:
        warehouse.create_tables(connection, ORDERS.tables)
        connection.execute("create schema mart")
        connection.execute("create table mart.fct_order_item (order_id varchar, order_item_id varchar)")
        connection.execute(f"insert into mart.fct_order_item values ('{KEPT}', '1'), ('{KEPT}', '2'), ('{GONE}', '1')")
        connection.execute(f"insert into raw._loads (table_name, run_date) values ('sp_api_order', date '{DAY}')")
        ledger.begin(connection, "one", "run")
        ledger.finish(connection, "one", "green")
    return warehouse


@pytest.fixture
def publisher(warehouse: DuckDBWarehouse, tmp_path: Path) -> Publisher:
    publisher = Publisher(DuckDBPublications(tmp_path / "published.duckdb", warehouse), dict, streams=[ORDERS])
    publisher.publish("run")
    return publisher


def build_without(warehouse: DuckDBWarehouse, condition: str) -> None:
    with warehouse.connect() as connection:
        connection.execute(f"delete from mart.fct_order_item where {condition}")
        ledger.begin(connection, "two", "run")
        ledger.finish(connection, "two", "green")


def test_an_order_that_vanished_is_not_published_away(warehouse: DuckDBWarehouse, publisher: Publisher) -> None:
    build_without(warehouse, f"order_id = '{GONE}'")
    with pytest.raises(LossError, match=rf"Consumers have 1 of mart\.fct_order_item \({GONE}\)"):
        publisher.publish("run")


def test_an_item_may_go(warehouse: DuckDBWarehouse, publisher: Publisher) -> None:
    """The newest answer of an order need not have every item of the one before."""
    build_without(warehouse, "order_item_id = '2'")
    publisher.publish("run")


def test_an_order_that_is_excluded_may_go(warehouse: DuckDBWarehouse, publisher: Publisher) -> None:
    with warehouse.connect() as connection:
        answer = Answer("sp_api", "order", GONE, DAY)
        write_excluded(connection, [StreamDay(DAY, "sp_api", "order")], {answer: "a test failed"}, "run")
    build_without(warehouse, f"order_id = '{GONE}'")
    publisher.publish("run")
