"""What a warehouse holds, for comparing two of them: `python -m vp_pipeline_tests.contents warehouse.duckdb`."""

import hashlib
import sys
from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

SCHEMAS = ("raw", "stg", "core", "mart", "monitoring")
# Run summaries: a run that changes nothing has one too.
ACCOUNTS = (
    "failing_rows",
    "mon_day",
    "mon_freshness",
    "mon_model_run",
    "mon_pipeline_run",
    "mon_rows_by_day",
    "mon_test_result",
)
# The moment of loading is the one thing that differs between two loads of the same rows.
LOADED_AT = ("_loaded_at", "loaded_at")
# A summary is of its own run: its times and ids differ. DuckDB does not report the rows that a statement wrote.
OF_A_RUN = (
    *("run_id", "airbyte_job_id", "seconds", "median_seconds", "slowdown", "rows_written"),
    *("started_at", "finished_at", "newest_finished_at"),
)
Query = Callable[[str], Sequence[Sequence[Any]]]
# Which answer a point was last confirmed by: it differs with what was requested, and the point does not.
PROVENANCE = ("snapshot_at", "run_date")


def contents(
    path: Path, schemas: Sequence[str] = SCHEMAS, *, provenance: bool = True
) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table and view, sorted, without the moment of loading; where `provenance` is false, without
    the answers that the points of change tables are of."""
    found = {}
    with duckdb.connect(str(path), read_only=True) as connection:
        for schema, table in connection.execute(
            "select table_schema, table_name from information_schema.tables order by all"
        ).fetchall():
            if schema in schemas and not table.startswith("_") and table not in ACCOUNTS:
                left_out = LOADED_AT if provenance or not table.endswith("_change") else LOADED_AT + PROVENANCE
                found[f"{schema}.{table}"] = connection.execute(
                    f'select columns(lambda c: c not in {left_out}) from "{schema}"."{table}" order by all'
                ).fetchall()
    assert found
    return found


def differing_tables(snowflake: Query, duckdb: Query, leave_out: Collection[str] = ()) -> dict[str, tuple[Any, Any]]:
    """The tables of dbt whose rows differ between the two engines, but for those that `leave_out` names: the first pair
    of rows that differ, or how many there are of each."""
    tables = duckdb(
        "select table_schema, table_name from information_schema.tables where table_schema in "
        "('core', 'mart', 'monitoring') and table_name not like '\\_%' escape '\\' order by all"
    )
    compared = [(schema, table) for schema, table in tables if table not in leave_out]
    assert len(compared) > 20
    views = tuple(
        f"{schema}.{name}"
        for schema, name in duckdb("select schema_name, view_name from duckdb_views() where not internal")
    )
    differing = {}
    for schema, table in compared:
        described = duckdb(
            f"select column_name from information_schema.columns where table_schema = '{schema}' "
            f"and table_name = '{table}' and column_name not like '%loaded_at' and column_name not in {OF_A_RUN} "
            "order by ordinal_position"
        )
        listed = ", ".join(str(name) for (name,) in described)
        # The emulator's information_schema.tables has no views, so the accounts there do not count them.
        counted = {"mon_model_run": "model", "mon_rows_by_day": "asset", "mon_freshness": "asset"}.get(str(table))
        of_tables = f" where layer || '.' || {counted} not in {views}" if counted else ""
        asked = f"select {listed} from {schema}.{table}{of_tables}"
        found, expected = plain_rows(snowflake, asked), plain_rows(duckdb, asked)
        if found != expected:
            differing[f"{schema}.{table}"] = next(
                (pair for pair in zip(found, expected, strict=False) if pair[0] != pair[1]), (len(found), len(expected))
            )
    return differing


def plain_rows(query: Query, asked: str) -> list[tuple[Any, ...]]:
    """The rows of a query in one order, with values as both engines mean them."""
    return sorted((tuple(map(_plain, row)) for row in query(asked)), key=repr)


def _plain(value: Any) -> Any:
    """A value as both engines mean it: Snowflake has one type for whole and decimal numbers."""
    if isinstance(value, Decimal | float | int) and not isinstance(value, bool):
        return round(float(value), 6)
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime.combine(value, time())  # what the emulator adds days to comes back as a moment
    return value


if __name__ == "__main__":
    for name, rows in contents(Path(sys.argv[1])).items():
        print(f"{name}  {len(rows)} rows  {hashlib.sha256(repr(rows).encode()).hexdigest()[:16]}")
