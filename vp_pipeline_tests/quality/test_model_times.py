"""How long models are expected to take: by builds of the same kind, and by the rows that there are now."""

from datetime import datetime, timedelta

import duckdb
import pytest

from vp_pipeline.quality.model_times import expected_seconds
from vp_pipeline.warehouse.migrations import migrate

START = datetime(2026, 11, 20, 6)


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    made = duckdb.connect()
    migrate(made)
    return made


def add(
    connection: duckdb.DuckDBPyConnection,
    seconds: float,
    total: int | None,
    *,
    written: int | None = None,
    is_restated: bool = False,
    model: str = "a",
    status: str = "success",
) -> None:
    """A build a day after the one before."""
    ((number,),) = connection.execute("select count(*) from monitoring._model_builds").fetchall()
    at = START + timedelta(days=number)
    row = [f"run-{number}", at.date(), at.date(), "core", model, status, seconds, written, total, None, is_restated, at]
    connection.execute(f"insert into monitoring._model_builds values ({', '.join('?' * len(row))})", row)


def test_the_median_of_the_last_five_builds_counts(connection: duckdb.DuckDBPyConnection) -> None:
    for seconds in (100.0, 100.0, 100.0, 1.0, 9.0, 2.0, 3.0, 50.0):
        add(connection, seconds, 10)
    add(connection, 999.0, None, status="error")
    assert expected_seconds(connection, ["a"]) == {"a": 3.0}


def test_a_restatement_is_scaled_by_the_rows_that_there_are_now(connection: duckdb.DuckDBPyConnection) -> None:
    add(connection, 10.0, 100, written=100, is_restated=True)
    add(connection, 1.0, 150)
    add(connection, 12.0, 200, written=200, is_restated=True)
    add(connection, 1.5, 400)
    assert expected_seconds(connection, ["a"], {"a"}) == {"a": (40.0 + 24.0) / 2}
    assert expected_seconds(connection, ["a"], {"b"}) == {"a": 1.25}


def test_neither_a_view_nor_a_table_that_was_empty_is_scaled(connection: duckdb.DuckDBPyConnection) -> None:
    add(connection, 0.5, 100, is_restated=True, model="view")
    add(connection, 0.5, 0, written=0, is_restated=True, model="empty")
    for model in ("view", "empty"):
        add(connection, 0.25, 1_000, model=model)
    assert expected_seconds(connection, ["view", "empty"], {"view", "empty"}) == {"view": 0.5, "empty": 0.5}


def test_what_was_never_built_that_way_is_not_known(connection: duckdb.DuckDBPyConnection) -> None:
    add(connection, 1.0, 10)
    assert expected_seconds(connection, ["a", "b"], {"a"}) == {"a": None, "b": None}
    connection.execute("drop table monitoring._model_builds")  # a warehouse of an earlier version
    assert expected_seconds(connection, ["a"]) == {"a": None}
