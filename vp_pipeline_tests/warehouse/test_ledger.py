"""The ledger: which days are included, which are pending validation, and what the last build was."""

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


def set_days(
    connection: duckdb.DuckDBPyConnection, *included: date, excluded: dict[date, str], is_validated: bool = True
) -> None:
    ledger.set_days(connection, [UNIT, ("other", "orders")], included, excluded, is_validated=is_validated, run_id="r")


def test_a_day_that_was_loaded_is_included_and_pending_validation(connection: duckdb.DuckDBPyConnection) -> None:
    ledger.day_loaded(connection, UNIT, TWO)
    ledger.day_loaded(connection, UNIT, ONE)
    assert ledger.pending_days(connection) == [ONE, TWO]
    assert ledger.excluded_days(connection) == {}


def test_a_day_stays_validated_until_other_rows_are_loaded(connection: duckdb.DuckDBPyConnection) -> None:
    set_days(connection, ONE, excluded={TWO: "a test is red"})
    assert ledger.pending_days(connection) == []
    assert ledger.excluded_days(connection) == {TWO: "a test is red"}
    ledger.day_loaded(connection, UNIT, TWO)
    assert ledger.pending_days(connection) == [TWO]


def test_days_that_are_being_validated_are_not_forgotten(connection: duckdb.DuckDBPyConnection) -> None:
    """A run that is killed meanwhile leaves them to the next one."""
    set_days(connection, ONE, excluded={TWO: "being validated"}, is_validated=False)
    assert ledger.pending_days(connection) == [ONE, TWO]
    set_days(connection, ONE, TWO, excluded={})
    ledger.mark_pending(connection, [TWO])
    assert ledger.pending_days(connection) == [TWO]
    assert ledger.excluded_days(connection) == {}


def test_the_last_build_is_the_newest_however_it_ended(connection: duckdb.DuckDBPyConnection) -> None:
    assert ledger.last_build(connection) is None
    connection.execute("create table raw._loads (table_name varchar, run_date date)")
    connection.executemany("insert into raw._loads values ('t', ?)", [[ONE], [TWO], [THREE]])
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
