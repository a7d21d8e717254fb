"""Published marts on Snowflake: the exact statements, and what consumers read after each of them."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlfluff
import sqlglot
from pandas import Timestamp

from vp_pipeline.failures import PermanentError, TransientError
from vp_pipeline.publishing.frames import Days, read_frame
from vp_pipeline.publishing.publication import KEPT
from vp_pipeline.publishing.publisher import Publisher
from vp_pipeline.publishing.snowflake import SnowflakePublications, fill_statements, swap_statements
from vp_pipeline.warehouse import ledger
from vp_pipeline_tests.publishing.marts import FIRST
from vp_pipeline_tests.stand_ins.s3 import s3_stand_in
from vp_pipeline_tests.stand_ins.snowflake import DATABASE, Lost, SnowflakeStandIn, snowflake_stand_in

# The connector's own thread, which would cancel a statement of a server that is gone.
pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning"),
]
TABLES = ("mart.dim_product", "mart.mart_deals", "monitoring.mon_keepa_reconciliation")


@pytest.fixture
def snowflake() -> Iterator[SnowflakeStandIn]:
    with s3_stand_in() as s3, snowflake_stand_in(s3.url) as server:
        server.query(f"create database if not exists {DATABASE}")
        yield server


@pytest.fixture
def publisher(snowflake: SnowflakeStandIn) -> Publisher:
    return Publisher(SnowflakePublications(snowflake.warehouse(timeout_seconds=5)), dict)


def build(snowflake: SnowflakeStandIn, number: int, state: ledger.BuildState = "green") -> str:
    """Fills every mart with `number`, as a build of that number; returns its id."""
    build_id = f"20260301T00000{number}-0000000{number}"
    for schema in ("raw", "mart", "monitoring"):
        snowflake.query(f"create schema if not exists {schema}")
    for table in TABLES:
        snowflake.query(
            f"create or replace table {table} as select {number} as n, 'x' as asin, 1 as domain_id "
            "union all select 0, null, 1"
        )
    with snowflake.warehouse().connect() as session:
        loaded = f"'keepa_product', '{FIRST + timedelta(days=number)}'"
        session.execute(f"insert into raw._loads (table_name, run_date) select {loaded}")
        ledger.begin(session, build_id, f"run-{number}")
        if state != "building":
            ledger.finish(session, build_id, state)
    return build_id


def read(snowflake: SnowflakeStandIn) -> int:
    """The number that consumers find in every table."""
    found = {
        row
        for table in TABLES
        for row in snowflake.query(f"select max(n), count(*) from published.{table.split('.')[1]}")
    }
    ((number, rows),) = found
    assert rows == 2
    return int(number)


def test_exactly_these_statements_publish(snowflake: SnowflakeStandIn, publisher: Publisher) -> None:
    build(snowflake, 1)
    snowflake.statements.clear()
    made = publisher.publish("the-run")
    assert made.rows == dict.fromkeys(TABLES, 2)
    changing = [s for s in snowflake.statements if not s.startswith("select")]
    beside = "published_20260301t000001_00000001"
    assert changing == [
        f"drop schema if exists {beside}",
        f"create transient schema {beside}",
        f"create transient table {beside}.dim_product clone mart.dim_product",
        f"create transient table {beside}.mart_deals clone mart.mart_deals",
        f"create transient table {beside}.mon_keepa_reconciliation clone monitoring.mon_keepa_reconciliation",
        f"create transient table {beside}.changes (mart varchar, key varchar, operation varchar, build_id varchar, "
        "published_at timestamp)",
        f"create transient table {beside}._publication (version integer, build_id varchar, run_id varchar, "
        "published_at timestamp_ntz, replaces varchar, content varchar, days varchar, row_counts varchar, "
        "changes_since timestamp_ntz, moments varchar, is_rolled_back boolean)",
        f"grant usage on schema {beside} to role vp_reader",
        f"grant select on all tables in schema {beside} to role vp_reader",
        f"insert into {beside}._publication (version, build_id, run_id, published_at, replaces, content, days, "
        "row_counts, changes_since, moments, is_rolled_back) select ?, ?, ?, cast(? as timestamp_ntz), nullif(?, ''), "
        "?, ?, ?, cast(? as timestamp_ntz), ?, false",
        "create transient schema if not exists published",
        f"alter schema published swap with {beside}",
        f"drop schema if exists {beside}",  # it holds nothing: this was the first
    ]


def test_the_statements_are_snowflakes_sql(snowflake: SnowflakeStandIn, publisher: Publisher) -> None:
    build(snowflake, 1)
    publisher.publish("the-run")
    fixed = [
        *fill_statements("published_x", [("mart", "a"), ("monitoring", "b")], {"monitoring.b"}, "vp_reader"),
        *swap_statements("published_x"),
    ]
    for statement in [*snowflake.statements, *fixed]:
        (parsed,) = sqlglot.parse(statement, dialect="snowflake")
        if isinstance(parsed, sqlglot.exp.Command):  # it knows neither SWAP WITH nor grants of all tables
            sqlfluff.parse(f"{statement};\n", dialect="snowflake")


def test_analysts_read_the_types_that_they_read_from_duckdb(snowflake: SnowflakeStandIn, publisher: Publisher) -> None:
    build(snowflake, 1)
    snowflake.query(
        "create or replace table mart.sales as select 'B000000001' as asin, cast('2026-03-01' as date) as sold_on, "
        "cast('2026-03-01 10:30:00' as timestamp) as sold_at, 7 as units, cast(29.07 as decimal(18, 2)) as price, "
        "cast(0.25 as double) as share, true as is_new"
    )
    publisher.publish("run")
    (row,) = read_frame(publisher.marts, "sales", Days("2026-03-01"), None, {"asin": ["B000000001"]}).itertuples()
    types = read_frame(publisher.marts, "sales", Days(end="2026-03-01"), None, {}).dtypes
    assert row[1:] == ("B000000001", Timestamp(2026, 3, 1), Timestamp(2026, 3, 1, 10, 30), 7, 29.07, 0.25, True)
    assert {name: str(kind) for name, kind in types.items()} == {
        "asin": "string",
        "sold_on": "datetime64[us]",
        "sold_at": "datetime64[us]",
        "units": "Int64",
        "price": "Float64",
        "share": "Float64",
        "is_new": "boolean",
    }


def test_the_record_of_what_was_published_is_in_the_schema(snowflake: SnowflakeStandIn, publisher: Publisher) -> None:
    assert publisher.marts.current() is None
    build_id = build(snowflake, 1)
    made = publisher.publish("the-run")
    assert (made.build_id, made.run_id, made.replaces) == (build_id, "the-run", None)
    assert [(day - FIRST).days for day in made.days] == [1]
    marts = publisher.marts
    assert marts.current() == made
    build_read, rows = marts.read("mart_deals")
    assert (build_read, rows.column_names, rows.num_rows) == (build_id, ["n", "asin", "domain_id"], 2)
    with pytest.raises(PermanentError, match="No table nonesuch is published"):
        marts.read("nonesuch")


def test_the_same_contents_are_not_published_twice(snowflake: SnowflakeStandIn, publisher: Publisher) -> None:
    build(snowflake, 1)
    first = publisher.publish("one")
    with snowflake.warehouse().connect() as session:
        ledger.begin(session, "another", "two")
        ledger.finish(session, "another", "green")
    assert publisher.publish("two") == first
    assert publisher.kept() == [first]


def test_the_record_of_another_run_is_no_reason_to_publish(snowflake: SnowflakeStandIn, publisher: Publisher) -> None:
    build(snowflake, 1)
    made = []
    for number in (1, 2):
        snowflake.query(f"create or replace view monitoring.mon_model_run as select {number} as n")
        with snowflake.warehouse().connect() as session:
            ledger.begin(session, f"another-{number}", f"{number}")
            ledger.finish(session, f"another-{number}", "green")
        made.append(publisher.publish(f"{number}"))
    assert made[0] == made[1]
    assert snowflake.query("select n from published.mon_model_run") == [(1,)]


@pytest.mark.parametrize("state", ["building", "red", "part"])
def test_only_a_whole_green_build_is_published(
    snowflake: SnowflakeStandIn, publisher: Publisher, state: ledger.BuildState
) -> None:
    build(snowflake, 1)
    publisher.publish("one")
    build(snowflake, 2, state)
    with pytest.raises(PermanentError, match="consumers read the last published marts until then"):
        publisher.publish("two")
    assert read(snowflake) == 1


def test_publications_of_v0_1_0_are_read_and_can_be_rolled_back(
    snowflake: SnowflakeStandIn, publisher: Publisher
) -> None:
    made = []
    for number in (1, 2):
        build(snowflake, number)
        made.append(publisher.publish(f"run-{number}"))
    for (schema,) in snowflake.query(
        "select table_schema from information_schema.tables where lower(table_name) = '_publication'"
    ):
        snowflake.query(f"alter table {schema}._publication rename column is_rolled_back to is_taken_back")
        for column in ("version", "changes_since", "moments"):
            snowflake.query(f"alter table {schema}._publication drop column {column}")
        snowflake.query(f"drop table {schema}.changes")
    assert publisher.kept() == [replace(each, changes_since=None, moments=()) for each in made[::-1]]
    assert publisher.roll_back().build_id == made[0].build_id
    assert (read(snowflake), publisher.rolled_back_from()) == (1, made[1].build_id)
    build(snowflake, 3)
    assert publisher.publish("run-3").replaces == made[0].build_id


def test_what_was_before_is_kept_and_can_be_restored(snowflake: SnowflakeStandIn, publisher: Publisher) -> None:
    builds = [build(snowflake, 1)]
    publisher.publish("run-1")
    for number in range(2, KEPT + 2):
        builds.append(build(snowflake, number))
        publisher.publish(f"run-{number}")
    assert [made.build_id for made in publisher.kept()] == builds[:0:-1]
    assert publisher.roll_back().build_id == builds[2]
    assert read(snowflake) == 3
    assert publisher.roll_back().build_id == builds[1]
    assert (read(snowflake), publisher.rolled_back_from()) == (2, builds[3])
    with pytest.raises(PermanentError, match="is not kept"):
        publisher.roll_back()
    with pytest.raises(PermanentError, match=f"{builds[3]} was rolled back by hand"):
        publisher.publish("again")
    last = build(snowflake, 9)
    publisher.publish("run-9")
    assert (read(snowflake), publisher.rolled_back_from()) == (9, None)
    # The one that it replaced, and the newest other, which was rolled back.
    assert [made.build_id for made in publisher.kept()] == [last, builds[3], builds[1]]
    assert publisher.roll_back(builds[3]).build_id == builds[3]
    assert (read(snowflake), publisher.rolled_back_from()) == (4, last)
    assert publisher.roll_back(last).build_id == last
    assert (read(snowflake), publisher.rolled_back_from()) == (9, None)


def test_the_changes_of_a_publication_and_of_a_rollback_are_in_its_feed(snowflake: SnowflakeStandIn) -> None:
    publisher = Publisher(
        SnowflakePublications(snowflake.warehouse(timeout_seconds=5)), dict, lambda: {"sales": ("asin", "sold_on")}
    )

    def publish(number: int, *rows: str) -> str:
        build_id = build(snowflake, number)
        values = " union all ".join(f"select {row}, cast('2026-03-01' as date)" for row in rows)
        snowflake.query(f"create or replace table mart.sales as select * from ({values}) as t(asin, value, sold_on)")
        publisher.publish(f"run-{number}")
        return build_id

    def feed() -> list[tuple[str, str, str]]:
        found = snowflake.query(
            "select mart, key, operation, build_id from published.changes where mart = 'sales' "
            "order by published_at, key"
        )
        assert {(mart, json.loads(key)["sold_on"]) for mart, key, *_ in found} <= {("sales", "2026-03-01")}
        return [(json.loads(key)["asin"], operation, build_id) for _, key, operation, build_id in found]

    first = publish(1, "'A', 1", "'B', 2")
    assert feed() == []
    second = publish(2, "'B', 3", "'C', 4")
    expected = [("A", "delete", second), ("B", "update", second), ("C", "insert", second)]
    assert feed() == expected
    publisher.roll_back()
    expected += [("A", "insert", first), ("B", "update", first), ("C", "delete", first)]
    assert feed() == expected
    third = publish(3, "'A', 1", "'B', 2", "'D', 5")
    assert feed() == [*expected, ("D", "insert", third)]


@pytest.mark.parametrize("at", ["create transient table", "grant", "insert into published", "alter schema"])
def test_a_connection_that_is_lost_leaves_what_consumers_read(
    snowflake: SnowflakeStandIn, publisher: Publisher, at: str
) -> None:
    build(snowflake, 1)
    publisher.publish("one")
    build(snowflake, 2)
    snowflake.faults.append(lambda sql: Lost() if sql.startswith(at) else None)
    with pytest.raises(TransientError):
        Publisher(SnowflakePublications(snowflake.warehouse(timeout_seconds=1)), dict).publish("two")
    snowflake.down = False
    snowflake.faults.clear()
    assert (read(snowflake), publisher.rolled_back_from(), len(publisher.kept())) == (1, None, 1)
    publisher.publish("two")
    assert read(snowflake) == 2


def test_a_clone_that_is_not_the_build_is_not_published(snowflake: SnowflakeStandIn, publisher: Publisher) -> None:
    build(snowflake, 1)
    publisher.publish("one")
    build(snowflake, 2)
    snowflake.faults.append(
        lambda sql: (
            sql.replace("clone mart.mart_deals", "as select 1 as n, 'x' as asin, 1 as domain_id")
            if "mart_deals clone" in sql
            else None
        )
    )
    with pytest.raises(PermanentError, match="The clone of mart_deals is not what the build has"):
        publisher.publish("two")
    assert read(snowflake) == 1
