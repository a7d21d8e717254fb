"""What a warehouse holds, for comparing two of them: `python -m vp_pipeline_tests.contents warehouse.duckdb`."""

import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

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


def contents(path: Path, schemas: Sequence[str] = SCHEMAS) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table and view, sorted, without the moment of loading."""
    found = {}
    with duckdb.connect(str(path), read_only=True) as connection:
        for schema, table in connection.execute(
            "select table_schema, table_name from information_schema.tables order by all"
        ).fetchall():
            if schema in schemas and not table.startswith("_") and table not in ACCOUNTS:
                found[f"{schema}.{table}"] = connection.execute(
                    f'select columns(lambda c: c not in {LOADED_AT}) from "{schema}"."{table}" order by all'
                ).fetchall()
    assert found
    return found


if __name__ == "__main__":
    for name, rows in contents(Path(sys.argv[1])).items():
        print(f"{name}  {len(rows)} rows  {hashlib.sha256(repr(rows).encode()).hexdigest()[:16]}")
