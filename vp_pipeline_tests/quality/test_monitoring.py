"""The record of a run: written once, never lost, and no reason for a red run."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import duckdb
import pytest

from vp_pipeline.quality.monitoring import Invocation, read_invocation, record
from vp_pipeline.warehouse.duckdb import DuckDBWarehouse

DAY, NEXT = date(2026, 11, 20), date(2026, 11, 21)
COUNTED = {("core", "seed_sizes"): 3, ("mart", "dim_product"): 12, ("stg", "stg_product"): 20}
MODELS = [name for _, name in COUNTED]
RESULTS = {
    "metadata": {"generated_at": "2026-11-22T00:10:30Z"},
    "elapsed_time": 30.0,
    "results": [
        {"unique_id": "operation.vp_pipeline.hook", "status": "success", "execution_time": 0.1},
        {"unique_id": "seed.vp_pipeline.seed_sizes", "status": "success", "execution_time": 0.25},
        {
            "unique_id": "model.vp_pipeline.dim_product",
            "status": "success",
            "execution_time": 1.0,
            "adapter_response": {"_message": "SUCCESS 5", "rows_affected": 5, "query_id": "01b2"},
        },
        {
            "unique_id": "model.vp_pipeline.stg_product",
            "status": "success",
            "execution_time": 0.125,
            "adapter_response": {"_message": "SUCCESS 1", "rows_affected": 1, "query_id": "01b1"},
        },
        {"unique_id": "model.vp_pipeline.mart_deals", "status": "skipped", "execution_time": 0.0},
        {"unique_id": "test.vp_pipeline.is_complete.abc", "status": "fail", "execution_time": 0.5, "failures": 3},
        {"unique_id": "test.vp_pipeline.is_unique.def", "status": "pass", "execution_time": 0.5, "failures": 0},
    ],
}
MANIFEST = {
    "nodes": {
        "seed.vp_pipeline.seed_sizes": {"schema": "core", "name": "seed_sizes", "config": {"materialized": "seed"}},
        "model.vp_pipeline.stg_product": {"schema": "stg", "name": "stg_product", "config": {"materialized": "view"}},
        "model.vp_pipeline.dim_product": {
            "schema": "mart",
            "name": "dim_product",
            "config": {"materialized": "incremental"},
        },
        "model.vp_pipeline.mart_deals": {"schema": "mart", "name": "mart_deals", "config": {"materialized": "table"}},
        "test.vp_pipeline.is_complete.abc": {"name": "is_complete", "attached_node": "model.vp_pipeline.dim_product"},
    }
}


@pytest.fixture
def warehouse(tmp_path: Path) -> DuckDBWarehouse:
    """A warehouse with two loaded days."""
    made = DuckDBWarehouse(tmp_path / "warehouse.duckdb")
    with made.connect() as connection:
        connection.execute(
            "insert into raw._loads (table_name, run_date, content, rows) "
            f"values ('keepa_price', '{DAY}', 'a', 7), ('keepa_price', '{NEXT}', 'b', 8)"
        )
    return made


TABLES = ("_runs", "_test_results", "_model_builds", "_rows")


@pytest.fixture
def invocation(tmp_path: Path) -> Invocation:
    (tmp_path / "run_results.json").write_text(json.dumps(RESULTS))
    (tmp_path / "manifest.json").write_text(json.dumps(MANIFEST))
    days = dict.fromkeys((DAY, NEXT), MODELS)
    found = read_invocation("run-1", days, {DAY: "42"}, COUNTED, tmp_path, tmp_path / "manifest.json")
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
    assert [run[1:9] for run in runs] == [(DAY, "42", 7, 3, 1, 1, 0, 1), (NEXT, None, 8, 3, 1, 1, 0, 1)]
    assert [run[11] for run in runs] == [30.0, 30.0]
    assert [test[3:8] for test in rows(warehouse, "_test_results")] == [
        ("mart", "dim_product", "is_complete", "fail", 3),
        (None, None, "is_unique", "pass", 0),
    ]
    built = [(layer, name, count) for (layer, name), count in COUNTED.items()]
    assert sorted(r[1:5] for r in rows(warehouse, "_rows")) == sorted(
        [(day, *table) for day, loaded in ((DAY, 7), (NEXT, 8)) for table in (*built, ("raw", "keepa_price", loaded))]
    )


def test_a_model_that_has_nothing_of_a_day_has_no_rows_of_it(
    invocation: Invocation, warehouse: DuckDBWarehouse, tmp_path: Path
) -> None:
    """So its newest day is the last that it has, and not that of the sources that were built without it."""
    record(warehouse, tmp_path, replace(invocation, left_out={str(NEXT): ["dim_product"]}))
    assert {(r[1], r[3]) for r in rows(warehouse, "_rows") if r[2] == "mart"} == {(DAY, "dim_product")}


@pytest.mark.parametrize("restated", [False, True])
def test_the_times_and_rows_of_each_model_are_recorded(
    warehouse: DuckDBWarehouse, invocation: Invocation, tmp_path: Path, restated: bool
) -> None:
    """Of a table that is built as a whole all rows were written, whatever the engine reports; of a view none."""
    record(warehouse, tmp_path, replace(invocation, restated=("dim_product", "stg_product") if restated else ()))
    found = rows(warehouse, "_model_builds")
    assert {row[:3] for row in found} == {("run-1", DAY, NEXT)}
    assert {row[11] for row in found} == {datetime(2026, 11, 22, 0, 10, 30)}
    assert [row[3:11] for row in found] == [
        ("core", "seed_sizes", "success", 0.25, 3, 3, None, False),
        ("mart", "dim_product", "success", 1.0, 12 if restated else 5, 12, "01b2", restated),
        ("mart", "mart_deals", "skipped", 0.0, None, None, None, False),
        ("stg", "stg_product", "success", 0.125, None, 20, "01b1", restated),
    ]


def test_what_an_earlier_version_left_waiting_is_recorded_without_times(
    warehouse: DuckDBWarehouse, invocation: Invocation, tmp_path: Path
) -> None:
    left = asdict(invocation)
    del left["restated"]
    for result in left["results"]:
        for key in ("materialized", "rows_affected", "query_id"):
            del result[key]
        if result["kind"] != "test":
            result |= {"layer": None, "model": None}
    pending = tmp_path / "monitoring_pending"
    pending.mkdir()
    (pending / f"run-0-{DAY}.json").write_text(json.dumps({**left, "run_id": "run-0"}))
    record(warehouse, tmp_path, invocation)
    assert [run[0] for run in rows(warehouse, "_runs")] == ["run-0", "run-0", "run-1", "run-1"]
    assert {row[0] for row in rows(warehouse, "_model_builds")} == {"run-1"}
    assert list(pending.iterdir()) == []


class Counting(DuckDBWarehouse):
    """A warehouse that counts the values which each statement binds."""

    bound: ClassVar[list[int]] = []

    @contextmanager
    def connect(self, **options: Any) -> Iterator[Any]:
        bound = self.bound

        class Connection:
            def __init__(self, connection: Any) -> None:
                self.connection = connection

            def execute(self, query: str, parameters: Any = (), /) -> Any:
                bound.append(len(parameters))
                return self.connection.execute(query, parameters)

        with super().connect(**options) as connection:
            yield Connection(connection)


def test_a_year_of_days_is_recorded_in_several_statements_and_none_is_lost(
    warehouse: DuckDBWarehouse, invocation: Invocation, tmp_path: Path
) -> None:
    warehouse = Counting(warehouse.path)
    days = [DAY + timedelta(days=n) for n in range(365)]
    tables = tuple(("core", f"model_{n}", n) for n in range(10))
    record(warehouse, tmp_path, replace(invocation, days=tuple(map(str, days)), rows=tables))
    assert len(rows(warehouse, "_runs")) == 365
    # Each day has every table, and the two loaded ones their own rows of RAW.
    assert len(rows(warehouse, "_rows")) == 365 * 10 + 2
    assert 4_000 < max(Counting.bound) <= 5_000


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


@pytest.mark.parametrize("content", [b"", b"{", b"buy milk", b"[]", b'{"run_id": 5}', None])
def test_a_record_that_is_none_keeps_no_other_waiting(
    warehouse: DuckDBWarehouse,
    invocation: Invocation,
    tmp_path: Path,
    content: bytes | None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    foreign = tmp_path / "monitoring_pending" / "a.json"
    foreign.parent.mkdir()
    if content is None:
        foreign.mkdir()
    else:
        foreign.write_bytes(content)
    record(warehouse, tmp_path, invocation)
    assert len(rows(warehouse, "_runs")) == 2
    assert str(foreign) in caplog.text
    if content is not None:
        assert [file.name for file in foreign.parent.iterdir()] == ["a.json.set_aside"]
        assert (foreign.parent / "a.json.set_aside").read_bytes() == content


def test_dbt_that_wrote_no_results_is_not_recorded(tmp_path: Path) -> None:
    assert read_invocation("run-1", {DAY: ()}, {}, {}, tmp_path, tmp_path / "manifest.json") is None
