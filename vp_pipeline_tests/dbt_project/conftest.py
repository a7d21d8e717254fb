"""A warehouse for dbt tests: a DuckDB file with the RAW tables of the contracts, and dbt running in this process.

Here: fixtures only. Not here: how production makes and loads RAW (`vp_pipeline/warehouse/duckdb.py`).
"""

import os
import shutil
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from dbt.artifacts.schemas.results import NodeStatus
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest
from filelock import FileLock

from vp_pipeline.dbt.environment import SOURCES_VARIABLE
from vp_pipeline.dbt.project import manifest_path, parsed_project
from vp_pipeline.settings import Settings
from vp_pipeline.sources.contract import RAW_COLUMNS, Table
from vp_pipeline.sources.registry import NAMES as EVERY_SOURCE
from vp_pipeline.sources.registry import STREAMS
from vp_pipeline.warehouse.migrations import migrate
from vp_pipeline_tests.conftest import pipeline_settings
from vp_pipeline_tests.dbt_project.three_products import SNAPSHOT, build

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"
TABLES = tuple(table for _, stream in STREAMS for table in stream.tables)
# By its name in RAW, and without the name of its source.
BY_NAME = {name: table for table in TABLES for name in (table.name, table.raw_name)}
LOADED_AT = datetime(2026, 12, 1)
BUILDING = {"warehouse", "module_warehouse", "three_products"}  # fixtures


def raw_schema(table: Table) -> pa.Schema:
    """The columns of a RAW table, in order."""
    return pa.schema([pa.field(c.name, c.type.arrow, nullable=c.nullable) for c in (*table.columns, *RAW_COLUMNS)])


def create_raw(table: Table) -> str:
    """The statement that creates a RAW table where there is none."""
    columns = (f'"{c.name}" {c.type.sql}{"" if c.nullable else " not null"}' for c in (*table.columns, *RAW_COLUMNS))
    return f"create table if not exists raw.{table.raw_name} ({', '.join(columns)})"


class Warehouse:
    """A DuckDB file and the dbt project on it. Close no connection by hand: each call opens and closes its own."""

    def __init__(self, folder: Path, manifest: Manifest | None = None) -> None:
        self.folder = folder
        # The manifest holds the file's name (it is dbt's database name): the same in every folder.
        self.path = folder / "warehouse.duckdb"
        self.manifest = manifest
        self.events: list[str] = []
        with duckdb.connect(str(self.path)) as connection:
            migrate(connection)
        self.execute(*map(create_raw, TABLES))

    def execute(self, *statements: str) -> None:
        with duckdb.connect(str(self.path)) as connection:
            for statement in statements:
                connection.execute(statement)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.path)) as connection:
            return connection.execute(query).fetchall()

    def load(self, name: str, run_date: date, rows: Iterable[Mapping[str, Any]]) -> None:
        """Make `rows` the day's rows in RAW: delete the day, load the day."""
        table = BY_NAME[name]
        whole = [
            {
                "_run_date": run_date,
                "_snapshot_at": row["snapshot_at"],
                "_source_object": f"silver/{name}/{run_date}",
                "_loaded_at": LOADED_AT,
                **row,
            }
            for row in rows
        ]
        day = pa.Table.from_pylist(whole, schema=raw_schema(table))
        with duckdb.connect(str(self.path)) as connection:
            connection.register("day", day)
            connection.execute("begin")
            connection.execute(f"delete from raw.{table.raw_name} where _run_date = ?", [run_date])
            connection.execute(f"insert into raw.{table.raw_name} select * from day")
            connection.execute("commit")

    def dbt(self, *arguments: str) -> dbtRunnerResult:
        """Run dbt; the result is returned whether it succeeded or not."""
        folder = str(PROJECT)
        whole = [*arguments, "--project-dir", folder, "--profiles-dir", folder]
        whole += ["--target-path", str(self.folder / "target"), "--log-path", str(self.folder / "logs")]
        # Writing the manifest would be half of each call's time.
        whole += ["--quiet", "--log-level-file", "none", "--no-write-json"]
        self.events = []
        runner = dbtRunner(self.manifest, callbacks=[lambda event: self.events.append(event.info.name)])
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("VP_WAREHOUSE_PATH", str(self.path))
            environment.setenv(SOURCES_VARIABLE, ",".join(EVERY_SOURCE))
            return runner.invoke(whole)

    def must(self, *arguments: str) -> dbtRunnerResult:
        """Run dbt and fail the test, with dbt's own words, unless everything succeeded."""
        result = self.dbt(*arguments)
        bad = [
            f"{r.node.name}: {r.status} {r.message}"
            for r in getattr(result.result, "results", [])
            if r.status not in (NodeStatus.Success, NodeStatus.Pass)
        ]
        assert result.success, "\n".join(bad) or result.exception
        return result


def window(first: date, end: date) -> tuple[str, ...]:
    """The flags of the partition window `[first, end)`."""
    return ("--event-time-start", first.isoformat(), "--event-time-end", end.isoformat())


@pytest.fixture(scope="session")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """The project with the models of every source, as the pipeline parses it: once, until a file of it changes."""
    return parsed(pipeline_settings(tmp_path_factory.mktemp("data"), chosen_sources=EVERY_SOURCE))


def parsed(settings: Settings) -> Manifest:
    manifest = Manifest.from_msgpack(parsed_project(manifest_path(settings)).read_bytes())
    manifest.build_flat_graph()  # type: ignore[no-untyped-call]
    return manifest


@pytest.fixture
def warehouse(tmp_path: Path, manifest: Manifest) -> Warehouse:
    return Warehouse(tmp_path, manifest)


@pytest.fixture(scope="module")
def module_warehouse(tmp_path_factory: pytest.TempPathFactory, manifest: Manifest) -> Warehouse:
    return Warehouse(tmp_path_factory.mktemp("warehouse"), manifest)


@pytest.fixture(scope="session")
def three_products(tmp_path_factory: pytest.TempPathFactory, manifest: Manifest) -> Path:
    """A file with the project built on three products. All workers share it: it is read, or copied first."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    file = shared / "three_products" / "warehouse.duckdb"
    with FileLock(shared / "three_products.lock"):
        if not file.exists():
            built = build(Warehouse(tmp_path_factory.mktemp("three_products"), manifest), SNAPSHOT)
            built.execute("checkpoint")  # dbt keeps the file open in this process
            file.parent.mkdir()
            shutil.copy(built.path, file.with_suffix(".copy"))
            file.with_suffix(".copy").rename(file)
    return file


@pytest.fixture(scope="session", name="window")
def _window() -> Any:
    return window


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test of this folder that has a warehouse builds with dbt."""
    folder = Path(__file__).parent
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        if item.path.is_relative_to(folder) and not BUILDING.isdisjoint(fixtures):
            item.add_marker(pytest.mark.integration)
