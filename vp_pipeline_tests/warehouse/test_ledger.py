"""The ledger: what is shown, what is still to be judged, and what the last build was."""

from collections.abc import Iterator
from datetime import date

import duckdb
import pytest

from vp_pipeline.warehouse import ledger

ONE, TWO, THREE = (date(2026, 2, n) for n in (1, 2, 3))
UNIT = ("keepa", "product")


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        ledger.create(connection)
        yield connection


def show(connection: duckdb.DuckDBPyConnection, *shown: date, hidden: dict[date, str], is_settled: bool = True) -> None:
    ledger.show(connection, [UNIT, ("other", "orders")], shown, hidden, is_settled=is_settled, run_id="r")


def test_a_day_that_raw_has_taken_is_shown_and_to_be_judged(connection: duckdb.DuckDBPyConnection) -> None:
    ledger.day_loaded(connection, UNIT, TWO)
    ledger.day_loaded(connection, UNIT, ONE)
    assert ledger.unsettled(connection) == [ONE, TWO]
    assert ledger.withheld(connection) == {}


def test_a_judged_day_is_settled_until_raw_takes_other_rows(connection: duckdb.DuckDBPyConnection) -> None:
    show(connection, ONE, hidden={TWO: "a test is red"})
    assert ledger.unsettled(connection) == []
    assert ledger.withheld(connection) == {TWO: "a test is red"}
    ledger.day_loaded(connection, UNIT, TWO)
    assert ledger.unsettled(connection) == [TWO]


def test_days_that_are_being_judged_are_not_forgotten(connection: duckdb.DuckDBPyConnection) -> None:
    """A run that is killed meanwhile leaves them to the next one."""
    show(connection, ONE, hidden={TWO: "being judged"}, is_settled=False)
    assert ledger.unsettled(connection) == [ONE, TWO]
    show(connection, ONE, TWO, hidden={})
    ledger.unsettle(connection, [TWO])
    assert ledger.unsettled(connection) == [TWO]
    assert ledger.withheld(connection) == {}


def test_the_last_build_is_the_newest_however_it_ended(connection: duckdb.DuckDBPyConnection) -> None:
    assert ledger.last_build(connection) is None
    connection.execute("create table raw._loads (table_name varchar, run_date date)")
    connection.executemany("insert into raw._loads values ('t', ?)", [[ONE], [TWO], [THREE]])
    show(connection, ONE, THREE, hidden={TWO: "red"})
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
