"""Which answers a red build is blamed on: of the products that failing rows name, on the days that they name."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date, datetime, timedelta

import dagster as dg
import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vp_pipeline.assets.dbt.answers import Blame, Failing, blamed_answers, choose, too_many
from vp_pipeline.assets.dbt.attempts import Attempt
from vp_pipeline.assets.dbt.upstream import Upstream
from vp_pipeline.assets.keys import raw_key
from vp_pipeline.dbt.data_tests import DataTest
from vp_pipeline.dbt.results import NodeResult
from vp_pipeline.quality.outcome import Outcome
from vp_pipeline.sources.keepa.source import ORACLE, PRODUCT
from vp_pipeline.sources.stream_days import StreamDay
from vp_pipeline.warehouse import ledger, migrations
from vp_pipeline.warehouse.connection import Connection
from vp_pipeline.warehouse.excluded_answers import Answer, excluded_answers, excluded_entities
from vp_pipeline_tests.stand_ins.s3 import s3_stand_in
from vp_pipeline_tests.stand_ins.snowflake import snowflake_stand_in

ONE, TWO, THREE = (date(2026, 2, n) for n in (1, 2, 3))
MODEL = dg.AssetKey(["mart", "fct_price_stats"])
UPSTREAM: Upstream = {MODEL: {raw_key(table) for table in PRODUCT.tables}}
BLAME = Blame(MODEL, Outcome("test", False, "failed"), "test: 1 failing row")


def answer(entity: str, day: date) -> Answer:
    return Answer("keepa", "product", entity, day)


def days_of(*days: date) -> list[StreamDay]:
    return [StreamDay(day, "keepa", "product") for day in days]


def snapshot(day: date) -> datetime:
    return datetime(day.year, day.month, day.day) + timedelta(days=1)


IN_RAW = {answer(entity, day): {snapshot(day)} for entity in ("1-A", "1-B") for day in (ONE, TWO, THREE)}


@pytest.mark.parametrize(
    ("failing", "excluded", "days"),
    [
        (Failing(BLAME, days={TWO}), set(), {TWO}),
        (Failing(BLAME, snapshots={snapshot(THREE)}), set(), {THREE}),
        (Failing(BLAME), set(), {ONE, TWO, THREE}),
        # The rows are of a day that is not of this run, but without its answers of this run they may be sound.
        (Failing(BLAME, days={date(2025, 1, 1)}), set(), {ONE, TWO, THREE}),
        (Failing(BLAME, days={TWO}), {answer("1-A", THREE)}, {ONE, TWO}),
        (Failing(BLAME, days={TWO}), {answer("1-A", day) for day in (ONE, TWO, THREE)}, set()),
    ],
)
def test_the_days_that_failing_rows_name_and_then_all_of_them(
    failing: Failing, excluded: set[Answer], days: set[date]
) -> None:
    assert choose({"1-A": failing}, IN_RAW, excluded) == {answer("1-A", day): BLAME for day in days}


@given(
    failing=st.dictionaries(st.sampled_from(["1-A", "1-B", "1-C"]), st.sets(st.sampled_from([ONE, TWO, THREE]))),
    rounds=st.integers(1, 8),
)
def test_each_round_excludes_more_until_nothing_is_left(failing: dict[str, set[date]], rounds: int) -> None:
    excluded: set[Answer] = set()
    for _ in range(rounds):
        chosen = choose({entity: Failing(BLAME, days=days) for entity, days in failing.items()}, IN_RAW, excluded)
        assert not chosen.keys() & excluded
        assert chosen.keys() <= IN_RAW.keys()
        excluded |= chosen.keys()
    wanted = {a for a in IN_RAW if a.entity in failing}
    assert excluded <= wanted
    if rounds >= 2:
        assert excluded == wanted


@pytest.mark.parametrize(
    ("excluded", "entities", "expected"),
    [
        (0, 0, False),
        (0, 5, False),
        (1, 1, True),
        (1, 2, False),
        (2, 2, True),
        (9, 10, False),
        (10, 10, True),
        (10, 49, True),
        (10, 50, False),
    ],
)
def test_too_many_are_all_of_them_or_a_fifth_of_many(excluded: int, entities: int, expected: bool) -> None:
    names = [f"1-{number}" for number in range(100)]
    assert too_many(set(names[:excluded]), set(names[:entities])) == expected


@pytest.fixture(scope="module", params=["duckdb", pytest.param("snowflake", marks=pytest.mark.integration)])
def connection(request: pytest.FixtureRequest) -> Iterator[Connection]:
    """RAW with three products on two days, on each engine."""
    with ExitStack() as stack:
        if request.param == "duckdb":
            connection: Connection = stack.enter_context(duckdb.connect())
            migrations.migrate(connection)
        else:
            s3 = stack.enter_context(s3_stand_in())
            snowflake = stack.enter_context(snowflake_stand_in(s3.url))
            snowflake.deploy(s3.new_lake().url)
            connection = stack.enter_context(snowflake.warehouse().connect())
        for table in PRODUCT.tables:
            columns = ", ".join(f"{column.name} {column.type.sql}" for column in table.columns)
            connection.execute(f"create table raw.{table.raw_name} ({columns}, _run_date date)")
        for asin in "ABC":
            for day in (ONE, TWO):
                connection.execute(
                    "insert into raw.keepa_product (asin, domain_id, snapshot_at, _run_date) "
                    "select ?, 1, cast(? as timestamp), cast(? as date)",
                    [asin, snapshot(day).isoformat(sep=" "), day.isoformat()],
                )
        yield connection


def attempt(code: str, name: str = "test") -> Attempt:
    """A red attempt: `code` is the query of the failed test."""
    result = NodeResult(f"test.vp_pipeline.{name}.1234", "fail", "Got 2 results", code)
    test = DataTest(name, "singular", "fct_price_stats", "mart", "It holds.", True, "it matters.", "singular")
    return Attempt([(MODEL, Outcome(name, False, "failed"))], {}, {}, [result], tests={name: test})


def blamed(connection: Connection, found: Attempt, *included: date) -> dict[tuple[str, date], str]:
    blames = blamed_answers(connection, found, UPSTREAM, [PRODUCT], days_of(*(included or (ONE, TWO))), {})
    return {(answer.entity, answer.day): blame.reason for answer, blame in blames.items()}


@pytest.mark.parametrize(
    ("columns", "days"),
    [
        ("'1-B' as product_key", {ONE, TWO}),
        ("'B' as asin, 1 as domain_id", {ONE, TWO}),
        ("'B' as ASIN, 1 as DOMAIN_ID, date '2026-02-02' as RUN_DATE", {TWO}),
        ("'1-B' as product_key, timestamp '2026-02-02' as snapshot_at, 'NEW' as series", {ONE}),
        ("'B' as asin, 5 as number_of_rows", set()),  # of which marketplace is not known
        ("date '2026-02-02' as run_date", set()),
        ("cast(null as varchar) as product_key", set()),
        ("'1-Z' as product_key", set()),  # no answer of these days
    ],
)
def test_rows_that_name_a_product_in_any_of_its_forms(connection: Connection, columns: str, days: set[date]) -> None:
    found = blamed(connection, attempt(f"select {columns} from raw.keepa_product where asin = 'A'"))
    assert found.keys() == {("1-B", day) for day in days}
    for reason in found.values():  # what the row has, and how many more there are
        assert re.fullmatch(r"test: .*\bB\b.*, and 1 more", reason)
        assert "entity" not in reason


def test_a_figure_that_differs_is_the_reason(connection: Connection) -> None:
    row = "'1-B' as product_key, 'USED' as series, 'max_value' as figure, 199900 as our_value, 37928 as keepa_value"
    found = blamed(connection, attempt(f"select {row}, 'differs' as finding", ORACLE.agrees), ONE)
    assert found == {("1-B", ONE): f"{ORACLE.agrees}: 1-B USED max_value: ours 199900, Keepa's 37928 (differs)"}


def test_a_day_on_which_every_product_fails_is_not_about_products(connection: Connection) -> None:
    everything = "select distinct asin, domain_id, _run_date as run_date from raw.keepa_product"
    assert blamed(connection, attempt(everything)) == {}
    assert blamed(connection, attempt(f"{everything} where asin <> 'C' or _run_date = date '2026-02-02'")) == {}
    assert len(blamed(connection, attempt(f"{everything} where asin <> 'C'"))) == 4


def test_a_product_that_has_no_other_answer(connection: Connection) -> None:
    answers = {answer("1-A", ONE): "a test failed", answer("1-B", ONE): "one", answer("1-B", TWO): "two"}
    ledger.set_days(connection, days_of(ONE, TWO), {}, is_validated=True, run_id="r", answers=answers)
    assert excluded_answers(connection) == answers
    assert excluded_entities(connection, PRODUCT) == {"1-B"}
    ledger.set_days(connection, days_of(ONE, TWO), {}, is_validated=True, run_id="r")
    assert excluded_answers(connection) == {}
