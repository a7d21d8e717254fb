"""A diff on Snowflake's stand-in: the exact statements of its copy, and that nothing of it is left."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlglot

from vp_pipeline.failures import PermanentError
from vp_pipeline.planning.diff_engine import AFTER, BEFORE
from vp_pipeline.planning.diff_snowflake import SCHEMAS, SnowflakeDiff, copy_statements, drop_statements
from vp_pipeline.planning.diff_tables import ColumnChange, Example, Rows, TableDiff, differs, table_diff
from vp_pipeline.publishing.publisher import Publisher
from vp_pipeline.publishing.snowflake import SnowflakePublications
from vp_pipeline.warehouse import ledger
from vp_pipeline.warehouse.lease.lease import Lease
from vp_pipeline.warehouse.lease.row import LeaseRow
from vp_pipeline_tests.conftest import pipeline_settings
from vp_pipeline_tests.stand_ins.s3 import s3_stand_in
from vp_pipeline_tests.stand_ins.snowflake import DATABASE, SnowflakeStandIn, refusal, snowflake_stand_in

pytestmark = pytest.mark.integration

DEALS, STATS = "mart.mart_deals", "mart.stats"


@pytest.fixture(scope="module")
def snowflake() -> Iterator[SnowflakeStandIn]:
    """Two tables and a view, published as they are built."""
    with s3_stand_in() as s3, snowflake_stand_in(s3.url) as server:
        server.deploy("s3://lake")
        for schema in ("stg", "core", "mart", "monitoring"):
            server.query(f"create schema if not exists {schema}")
        server.query(f"create table {DEALS} as select 'a' as asin, 1 as price union all select 'b', 2")
        server.query(f"create table {STATS} as select 1 as n union all select 1")
        server.query("create view stg.stg_deals as select * from mart.mart_deals")
        with server.warehouse().connect() as session:
            session.execute("insert into raw._loads (table_name, run_date) select 'keepa_product', '2026-03-01'")
            ledger.begin(session, "build", "run")
            ledger.finish(session, "build", "green")
        Publisher(SnowflakePublications(server.warehouse()), dict).publish("run")
        yield server


@pytest.fixture
def diff(snowflake: SnowflakeStandIn, tmp_path: Path) -> SnowflakeDiff:
    warehouse = snowflake.warehouse()
    return SnowflakeDiff(pipeline_settings(tmp_path), warehouse, Lease(LeaseRow(warehouse)), print)


def copied(snowflake: SnowflakeStandIn) -> list[str]:
    """The schemas of the copy that are there."""
    found = snowflake.query(f"select lower(schema_name) from {DATABASE}_DIFF.information_schema.schemata")
    return sorted({name for (name,) in found} & {*SCHEMAS})


def test_exactly_these_statements_copy_and_remove() -> None:
    found = copy_statements("VP", [("mart", "mart_deals", False), ("stg", "stg_deals", True)])
    drops = [f"drop schema if exists VP_DIFF.{schema}" for schema in ("raw", "stg", "core", "mart", "monitoring")]
    assert found == [
        *drops,
        "create transient schema VP_DIFF.raw",
        "create transient schema VP_DIFF.stg",
        "create transient schema VP_DIFF.core",
        "create transient schema VP_DIFF.mart",
        "create transient schema VP_DIFF.monitoring",
        "create transient table VP_DIFF.mart.mart_deals clone VP.mart.mart_deals",
        "create view VP_DIFF.stg.stg_deals as select * from VP.stg.stg_deals",
    ]
    assert drop_statements("VP") == drops
    for statement in found:
        sqlglot.parse_one(statement, dialect="snowflake")
    assert drop_statements("vp")[0] == "drop schema if exists vp_diff.raw"


def test_both_sides_are_compared_by_key(snowflake: SnowflakeStandIn, diff: SnowflakeDiff) -> None:
    with diff.copy() as copy:
        assert copy.settings.snowflake_database == f"{DATABASE}_DIFF"
        with copy.warehouse.connect() as connection:
            assert connection.execute("select count(*) from stg.stg_deals").fetchone() == (2,)
            connection.execute(f"update {DEALS} set price = 5 where asin = 'b'")
            connection.execute(f"insert into {DEALS} select 'c', 3")
            connection.execute(f"insert into {STATS} select 1")
        with diff.sides(copy) as sides:
            assert list(sides.shape(BEFORE, DEALS)) == list(sides.shape(AFTER, DEALS)) == ["asin", "price"]
            assert table_diff(sides, DEALS, ("asin",)) == TableDiff(
                DEALS,
                "changed",
                ("asin",),
                2,
                3,
                added=Rows(1, (("c",),)),
                changed=1,
                columns=(ColumnChange("price", 1, (Example(("b",), "2", "5"),)),),
            )
            assert table_diff(sides, STATS, ()) == TableDiff(STATS, "changed", (), 2, 3, added=Rows(1))
    with diff.sides(None) as sides:
        assert not differs(sides, DEALS)
    assert copied(snowflake) == []


def test_without_the_database_of_the_clones_the_command_that_makes_it_is_named(
    snowflake: SnowflakeStandIn, tmp_path: Path
) -> None:
    snowflake.query("create database if not exists elsewhere")
    snowflake.query("create schema if not exists elsewhere.raw")
    warehouse = snowflake.warehouse(database="elsewhere")
    engine = SnowflakeDiff(pipeline_settings(tmp_path), warehouse, Lease(LeaseRow(warehouse)), print)
    with pytest.raises(PermanentError, match="no database elsewhere_diff for the clones: `vp deploy"), engine.copy():
        pass


def test_nothing_is_left_after_a_failure_and_what_was_killed_is_replaced(
    snowflake: SnowflakeStandIn, diff: SnowflakeDiff
) -> None:
    snowflake.query(f"create schema {DATABASE}_DIFF.mart")
    snowflake.query(f"create table {DATABASE}_DIFF.mart.stats as select 7 as n")
    with diff.copy() as copy, copy.warehouse.connect() as connection:
        assert connection.execute(f"select sum(n) from {STATS}").fetchone() == (2,)
    snowflake.faults.append(lambda sql: refusal(1, "no") if f"{STATS} clone" in sql else None)
    with pytest.raises(PermanentError), diff.copy():
        pass
    snowflake.faults.clear()
    assert copied(snowflake) == []
    with pytest.raises(RuntimeError), diff.copy():
        raise RuntimeError
    assert copied(snowflake) == []
    assert diff.lease.current() is None
    assert not list(diff.settings.data_dir.iterdir())
