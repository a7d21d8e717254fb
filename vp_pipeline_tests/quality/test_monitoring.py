"""The record of a run: written once, never lost, and no reason for a red run."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from vp_pipeline.quality.monitoring import Invocation, read_invocation, record
from vp_pipeline.warehouse.duckdb import DuckDBWarehouse

DAY, NEXT = date(2026, 11, 20), date(2026, 11, 21)
RESULTS = {
    "metadata": {"generated_at": "2026-11-22T00:10:30Z"},
    "elapsed_time": 30.0,
    "results": [
        {"unique_id": "operation.vp_pipeline.hook", "status": "success", "execution_time": 0.1},
        {"unique_id": "model.vp_pipeline.dim_product", "status": "success", "execution_time": 1.0},
        {"unique_id": "model.vp_pipeline.mart_deals", "status": "skipped", "execution_time": 0.0},
        {"unique_id": "test.vp_pipeline.is_complete.abc", "status": "fail", "execution_time": 0.5, "failures": 3},
        {"unique_id": "test.vp_pipeline.is_unique.def", "status": "pass", "execution_time": 0.5, "failures": 0},
    ],
}
MANIFEST = {
    "nodes": {
        "model.vp_pipeline.dim_product": {"schema": "mart", "name": "dim_product"},
        "test.vp_pipeline.is_complete.abc": {"name": "is_complete", "attached_node": "model.vp_pipeline.dim_product"},
    }
}


@pytest.fixture
def warehouse(tmp_path: Path) -> DuckDBWarehouse:
    """A warehouse as dbt's on-run-start leaves it, with two loaded days."""
    made = DuckDBWarehouse(tmp_path / "warehouse.duckdb")
    with made.connect() as connection:
        connection.execute("create schema raw; create schema monitoring")
        connection.execute("create table raw._loads (table_name varchar, run_date date, content varchar, rows bigint)")
        connection.execute(
            f"insert into raw._loads values ('keepa_price', '{DAY}', 'a', 7), ('keepa_price', '{NEXT}', 'b', 8)"
        )
        for table, columns in TABLES.items():
            connection.execute(f"create table monitoring.{table} ({columns})")
    return made


# As macros/recorded.sql makes them; test_dbt_project.py builds the models on the real ones.
TABLES = {
    "_runs": "run_id varchar, run_date date, airbyte_job_id varchar, rows_loaded bigint, models_built bigint,"
    " models_failed bigint, tests_passed bigint, tests_warned bigint, tests_failed bigint, started_at timestamp,"
    " finished_at timestamp, seconds double",
    "_test_results": "run_id varchar, first_date date, last_date date, layer varchar, model varchar, test_name varchar,"
    " status varchar, failing_rows bigint, seconds double, finished_at timestamp",
    "_rows": "run_id varchar, run_date date, layer varchar, asset varchar, row_count bigint, finished_at timestamp",
}


@pytest.fixture
def invocation(tmp_path: Path) -> Invocation:
    (tmp_path / "run_results.json").write_text(json.dumps(RESULTS))
    (tmp_path / "manifest.json").write_text(json.dumps(MANIFEST))
    found = read_invocation(
        "run-1", [DAY, NEXT], {DAY: "42"}, {("mart", "dim_product"): 12}, tmp_path, tmp_path / "manifest.json"
    )
    assert found is not None
    return found


def rows(warehouse: DuckDBWarehouse, table: str) -> list[tuple[Any, ...]]:
    with warehouse.connect(read_only=True) as connection:
        return connection.execute(f"select * from monitoring.{table} order by all").fetchall()


def test_what_was_loaded_built_and_tested_is_recorded(
    warehouse: DuckDBWarehouse, invocation: Invocation, tmp_path: Path
) -> None:
    record(warehouse, tmp_path, invocation)
    runs = rows(warehouse, "_runs")
    assert [run[1:9] for run in runs] == [(DAY, "42", 7, 1, 1, 1, 0, 1), (NEXT, None, 8, 1, 1, 1, 0, 1)]
    assert [run[11] for run in runs] == [30.0, 30.0]
    assert [test[3:8] for test in rows(warehouse, "_test_results")] == [
        ("mart", "dim_product", "is_complete", "fail", 3),
        (None, None, "is_unique", "pass", 0),
    ]
    assert [(r[1], *r[2:5]) for r in rows(warehouse, "_rows")] == [
        (DAY, "mart", "dim_product", 12),
        (DAY, "raw", "keepa_price", 7),
        (NEXT, "mart", "dim_product", 12),
        (NEXT, "raw", "keepa_price", 8),
    ]


def test_the_same_invocation_twice_is_recorded_once(
    warehouse: DuckDBWarehouse, invocation: Invocation, tmp_path: Path
) -> None:
    record(warehouse, tmp_path, invocation)
    once = {table: rows(warehouse, table) for table in TABLES}
    record(warehouse, tmp_path, invocation)
    assert {table: rows(warehouse, table) for table in TABLES} == once
    record(warehouse, tmp_path, replace(invocation, run_id="run-2"))
    assert len(rows(warehouse, "_runs")) == 4


def test_what_could_not_be_written_is_written_by_the_next_run(
    warehouse: DuckDBWarehouse, invocation: Invocation, tmp_path: Path
) -> None:
    with warehouse.connect() as connection:
        connection.execute("alter table monitoring._rows rename to kept")
    with pytest.raises(duckdb.CatalogException):
        record(warehouse, tmp_path, invocation)
    assert rows(warehouse, "_runs") == []  # all of a record or none of it
    with warehouse.connect() as connection:
        connection.execute("alter table monitoring.kept rename to _rows")
    record(warehouse, tmp_path, replace(invocation, run_id="run-2"))
    assert [run[0] for run in rows(warehouse, "_runs")] == ["run-1", "run-1", "run-2", "run-2"]
    assert list((tmp_path / "monitoring_pending").iterdir()) == []


def test_dbt_that_wrote_no_results_is_not_recorded(tmp_path: Path) -> None:
    assert read_invocation("run-1", [DAY], {}, {}, tmp_path, tmp_path / "manifest.json") is None
