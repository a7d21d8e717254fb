"""The ledger: which days are included, which are pending validation, and what the last build was."""

from collections.abc import Iterator
from datetime import date

import duckdb
import pytest

from vp_pipeline.sources.keepa.source import PRODUCT
from vp_pipeline.sources.stream_days import StreamDay
from vp_pipeline.warehouse import ledger, migrations
from vp_pipeline.warehouse.excluded_answers import Answer, excluded_answers, excluded_entities

ONE, TWO, THREE = (date(2026, 2, n) for n in (1, 2, 3))
UNIT = ("keepa", "product")


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        migrations.migrate(connection)
        yield connection


def set_days(
    connection: duckdb.DuckDBPyConnection, *included: date, excluded: dict[date, str], is_validated: bool = True
) -> None:
    units = (UNIT, ("other", "orders"))
    ledger.set_days(
        connection,
        [StreamDay(day, *unit) for day in included for unit in units],
        {StreamDay(day, *unit): reason for day, reason in excluded.items() for unit in units},
        is_validated=is_validated,
        run_id="r",
    )


def days_of(*days: date) -> list[StreamDay]:
    return [StreamDay(day, *UNIT) for day in days]


def test_a_day_that_was_loaded_is_included_and_pending_validation(connection: duckdb.DuckDBPyConnection) -> None:
    ledger.day_loaded(connection, UNIT, TWO)
    ledger.day_loaded(connection, UNIT, ONE)
    assert ledger.pending_days(connection) == [ONE, TWO]
    assert ledger.excluded(connection) == {}


def test_a_day_stays_validated_until_other_rows_are_loaded(connection: duckdb.DuckDBPyConnection) -> None:
    set_days(connection, ONE, excluded={TWO: "a test is red"})
    assert ledger.pending_days(connection) == []
    assert {each.day: why for each, why in ledger.excluded(connection).items()} == {TWO: "a test is red"}
    ledger.day_loaded(connection, UNIT, TWO)
    assert ledger.pending_days(connection) == [TWO]


def test_days_that_are_being_validated_are_not_forgotten(connection: duckdb.DuckDBPyConnection) -> None:
    """A run that is killed meanwhile leaves them to the next one."""
    set_days(connection, ONE, excluded={TWO: "being validated"}, is_validated=False)
    assert ledger.pending_days(connection) == [ONE, TWO]
    set_days(connection, ONE, TWO, excluded={})
    ledger.mark_pending(connection, [TWO])
    assert ledger.pending_days(connection) == [TWO]
    assert ledger.excluded(connection) == {}


def test_the_last_build_is_the_newest_however_it_ended(connection: duckdb.DuckDBPyConnection) -> None:
    assert ledger.last_build(connection) is None
    connection.executemany(
        "insert into raw._loads (table_name, run_date) values ('keepa_product', ?)", [[ONE], [TWO], [THREE]]
    )
    set_days(connection, ONE, THREE, excluded={TWO: "red"})
    ledger.begin(connection, "b1", "run")
    begun = ledger.last_build(connection)
    assert begun is not None
    assert (begun.state, begun.days) == ("building", ())
    ledger.finish(connection, "b1", "green")
    green = ledger.last_build(connection)
    assert green is not None
    assert (green.state, green.days) == ("green", (ONE, THREE))
    ledger.begin(connection, "b2", "run")
    ledger.finish(connection, "b2", "part")
    part = ledger.last_build(connection)
    assert part is not None
    assert (part.build_id, part.state, part.days) == ("b2", "part", ())


def test_names_of_builds_sort_by_time() -> None:
    first, second = ledger.new_build_id("aaaaaaaa-1"), ledger.new_build_id("00000000-1")
    assert first < second


def state(connection: duckdb.DuckDBPyConnection) -> tuple[str, tuple[date, ...], dict[str, str]]:
    build = ledger.last_build(connection)
    assert build is not None
    return build.state, build.days, dict(build.stale)


@pytest.fixture
def green(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """A ledger with a green build of all models over two days."""
    connection.executemany("insert into raw._loads (table_name, run_date) values ('keepa_product', ?)", [[ONE], [TWO]])
    ledger.begin(connection, "b1", "run")
    ledger.finish(connection, "b1", "green")
    return connection


def test_builds_of_some_models_are_green_when_nothing_is_stale(green: duckdb.DuckDBPyConnection) -> None:
    ledger.begin(green, "b2", "run", {"a": "not finished", "b": "reads a"})
    green.execute(
        "insert into raw._loads (table_name, run_date) values ('keepa_product', ?)", [THREE]
    )  # loaded since, and in no mart
    assert state(green) == ("building", (), {"a": "not finished", "b": "reads a"})
    ledger.finish_partial(green, "b2", ["a"])
    assert state(green) == ("part", (), {"b": "reads a"})
    ledger.begin(green, "b3", "run", {"b": "not finished"})
    ledger.finish_partial(green, "b3", ["b", "a_test"])
    assert state(green) == ("green", (ONE, TWO), {})


def test_what_a_killed_build_of_some_models_leaves_is_stale(green: duckdb.DuckDBPyConnection) -> None:
    ledger.begin(green, "b2", "run", {"a": "not finished"})
    ledger.begin(green, "b3", "run", {"b": "not finished"})
    ledger.finish_partial(green, "b3", ["b"], {"b_test": "was not run"})
    assert state(green) == ("part", (), {"a": "not finished", "b_test": "was not run"})


@pytest.mark.parametrize("ends", ["killed", "red"])
def test_only_a_build_of_all_models_repairs_one_of_all_models(green: duckdb.DuckDBPyConnection, ends: str) -> None:
    ledger.begin(green, "b2", "run")
    if ends == "red":
        ledger.finish(green, "b2", "red")
    ledger.begin(green, "b3", "run", {"a": "not finished"})
    ledger.finish_partial(green, "b3", ["a"])
    assert state(green) == ("part", (), {"*": "no build of all models has finished"})
    ledger.begin(green, "b4", "run")
    ledger.finish(green, "b4", "green")
    assert state(green) == ("green", (ONE, TWO), {})


@pytest.mark.parametrize("before", ["part", "building", "red", None])
def test_where_it_is_not_known_what_is_stale_everything_is(connection: duckdb.DuckDBPyConnection, before: str) -> None:
    """As in a warehouse of a version that did not record it, or where nothing was ever built."""
    if before:
        insert = "insert into raw._builds values ('b1', 'run', timestamp '2026-02-01', null, ?, '')"
        connection.execute(insert, [before])
    ledger.begin(connection, "b2", "run", {"a": "not finished"})
    ledger.finish_partial(connection, "b2", ["a"])
    assert state(connection)[2].keys() == {"*"}


def test_a_day_that_a_red_test_left_pending_has_validated_rows(connection: duckdb.DuckDBPyConnection) -> None:
    set_days(connection, ONE, excluded={})
    ledger.mark_pending(connection, [ONE])
    ledger.day_loaded(connection, UNIT, TWO)
    assert ledger.pending_days(connection) == [ONE, TWO]
    assert ledger.unvalidated_days(connection) == [TWO]


A_ONE, A_TWO = (Answer("keepa", "product", "1-A", day) for day in (ONE, TWO))
B_TWO = Answer("keepa", "product", "1-B", TWO)


def test_excluded_answers_are_those_of_the_newest_build_of_their_day(connection: duckdb.DuckDBPyConnection) -> None:
    def build(*days: date, answers: dict[Answer, str]) -> None:
        ledger.set_days(connection, days_of(*days), {}, is_validated=True, run_id="r", answers=answers)

    build(ONE, TWO, answers={A_ONE: "one", A_TWO: "two", B_TWO: "two"})
    build(TWO, answers={B_TWO: "again"})
    assert excluded_answers(connection) == {A_ONE: "one", B_TWO: "again"}
    build(ONE, TWO, answers={})
    assert excluded_answers(connection) == {}


def test_another_decoder_has_a_day_with_an_excluded_answer_validated_again(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    ledger.set_days(connection, days_of(ONE, TWO), {}, is_validated=True, run_id="r", answers={A_ONE: "one"})
    ledger.recheck_excluded(connection, UNIT, ONE)
    ledger.recheck_excluded(connection, UNIT, TWO)
    assert ledger.pending_days(connection) == [ONE]


def test_entities_whose_answers_are_all_excluded(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("create table raw.keepa_product (asin varchar, domain_id bigint, _run_date date)")
    rows = [("A", ONE), ("A", TWO), ("B", TWO), ("C", ONE), ("C", THREE), ("D", TWO)]
    connection.executemany("insert into raw.keepa_product values (?, 1, ?)", rows)
    c_one = Answer("keepa", "product", "1-C", ONE)
    answers = {A_TWO: "A has another day", B_TWO: "B has none", c_one: "C has an excluded day only"}
    excluded = {StreamDay(THREE, *UNIT): "red"}
    ledger.set_days(connection, days_of(ONE, TWO), excluded, is_validated=True, run_id="r", answers=answers)
    assert excluded_entities(connection, PRODUCT) == {"1-B", "1-C"}


def test_streams_are_included_and_excluded_on_their_own(connection: duckdb.DuckDBPyConnection) -> None:
    """A day that one of them has is in the marts; which streams it has is recorded with the build."""
    orders = StreamDay(TWO, "sp_api", "order")
    for table in ("keepa_product", "sp_api_order"):
        connection.executemany(
            "insert into raw._loads (table_name, run_date) values (?, ?)", [[table, ONE], [table, TWO]]
        )
    ledger.set_days(connection, days_of(ONE, TWO), {orders: "a test is red"}, is_validated=True, run_id="r")
    assert ledger.excluded(connection) == {orders: "a test is red"}
    ledger.begin(connection, "b1", "run")
    ledger.finish(connection, "b1", "green")
    build = ledger.last_build(connection)
    assert build is not None
    assert build.days == (ONE, TWO)
    assert build.stream_days == (*days_of(ONE), StreamDay(ONE, "sp_api", "order"), *days_of(TWO))
    assert tuple(ledger.stream_days_of(connection, "b1")) == build.stream_days
    ledger.begin(connection, "b2", "run")
    ledger.finish(connection, "b2", "green", [PRODUCT])  # the other source is off
    assert tuple(ledger.stream_days_of(connection, "b2")) == tuple(days_of(ONE, TWO))


def test_the_days_of_a_build_of_an_earlier_version_are_read(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(
        "insert into raw._builds (build_id, run_id, began_at, state, days) "
        "values ('b0', 'r', now(), 'green', '2026-02-01,2026-02-02')"
    )
    build = ledger.last_build(connection)
    assert build is not None
    assert (build.days, build.stream_days) == ((ONE, TWO), ())
