"""RAW: a partition is replaced in one transaction or stays as it was."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from vp_pipeline.failures import DamagedDataError, PassingError, PermanentError
from vp_pipeline.resources import silver, warehouse
from vp_pipeline.resources.lake import Lake
from vp_pipeline.resources.manifests import SilverManifest
from vp_pipeline.resources.warehouse import DuckDBWarehouse, Load
from vp_pipeline.sources.keepa.tables import BUY_BOX, MONTHLY_SOLD
from vp_pipeline.sources.landed import Decoded

DAY, NEXT = date(2026, 3, 1), date(2026, 3, 2)
MOMENT = datetime(2026, 3, 1, 23, 59)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


@pytest.fixture
def duck(tmp_path: Path) -> DuckDBWarehouse:
    return DuckDBWarehouse(tmp_path / "warehouse.duckdb")


@pytest.fixture
def connection(duck: DuckDBWarehouse) -> Iterator[duckdb.DuckDBPyConnection]:
    with duck.connect() as connection:
        yield connection


def partition(lake: Lake, *sold: int | None, day: date = DAY, bronze: str = "b") -> SilverManifest:
    """A silver partition with a row for each of `sold`."""
    rows = [
        {
            "asin": f"B{n:09}",
            "domain_id": 1,
            "observed_at": MOMENT,
            "snapshot_at": MOMENT,
            "monthly_sold": value,
        }
        for n, value in enumerate(sold)
    ]
    lenient = pa.schema([field.with_nullable(True) for field in MONTHLY_SOLD.schema])
    table = pa.Table.from_pylist(rows, schema=lenient)
    return silver.write(lake, Decoded(MONTHLY_SOLD, len(rows), table, 0, ()), day, bronze)


def load(
    duck: DuckDBWarehouse,
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    manifest: SilverManifest,
    now: datetime | None = None,
) -> Load:
    return duck.load_day(connection, lake, {MONTHLY_SOLD: manifest}, now)[MONTHLY_SOLD]


def loaded(connection: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    return connection.execute("select _run_date, monthly_sold from raw.keepa_monthly_sold order by all").fetchall()


def test_a_partition_is_loaded_with_its_columns(
    duck: DuckDBWarehouse, connection: duckdb.DuckDBPyConnection, lake: Lake
) -> None:
    manifest = partition(lake, 100)
    assert not load(duck, connection, lake, manifest, datetime(2026, 3, 3)).unchanged
    row = connection.execute("select * from raw.keepa_monthly_sold").fetchone()
    path = "silver/keepa/monthly_sold/run_date=2026-03-01/part-00000.parquet"
    assert row == ("B000000000", 1, MOMENT, MOMENT, 100, DAY, MOMENT, path, datetime(2026, 3, 3))


def test_the_same_partition_again_writes_nothing(
    duck: DuckDBWarehouse, connection: duckdb.DuckDBPyConnection, lake: Lake
) -> None:
    manifest = partition(lake, 100, 200)
    load(duck, connection, lake, manifest)
    before = connection.execute("select * from raw.keepa_monthly_sold").fetchall()
    assert load(duck, connection, lake, manifest).unchanged
    assert connection.execute("select * from raw.keepa_monthly_sold").fetchall() == before


def test_a_changed_partition_replaces_its_day_alone(
    duck: DuckDBWarehouse, connection: duckdb.DuckDBPyConnection, lake: Lake
) -> None:
    load(duck, connection, lake, partition(lake, 1, 2, 3))
    load(duck, connection, lake, partition(lake, 7, day=NEXT))
    load(duck, connection, lake, partition(lake, 9))
    assert loaded(connection) == [(DAY, 9), (NEXT, 7)]


def test_rows_that_went_missing_are_loaded_again(
    duck: DuckDBWarehouse, connection: duckdb.DuckDBPyConnection, lake: Lake
) -> None:
    manifest = partition(lake, 1, 2)
    load(duck, connection, lake, manifest)
    connection.execute("delete from raw.keepa_monthly_sold where monthly_sold = 1")
    assert not load(duck, connection, lake, manifest).unchanged
    assert loaded(connection) == [(DAY, 1), (DAY, 2)]


def test_fewer_rows_than_the_manifest_are_rolled_back(
    duck: DuckDBWarehouse, connection: duckdb.DuckDBPyConnection, lake: Lake
) -> None:
    load(duck, connection, lake, partition(lake, 1))
    manifest = partition(lake, 5, 6)
    (item,) = manifest.objects
    wrong = manifest.model_copy(update={"objects": (item.model_copy(update={"records": 3}),)})
    with pytest.raises(PermanentError, match=r"took 2 rows for 2026-03-01 where the manifest says 3.*rolled back"):
        load(duck, connection, lake, wrong)
    assert loaded(connection) == [(DAY, 1)]


def test_a_file_that_differs_from_its_manifest_is_not_loaded(
    duck: DuckDBWarehouse, connection: duckdb.DuckDBPyConnection, lake: Lake
) -> None:
    load(duck, connection, lake, partition(lake, 1))
    manifest = partition(lake, 5)
    partition(lake, 6)  # the file is replaced, as when silver is built again between reading and loading
    with pytest.raises(DamagedDataError, match="Materialize silver/keepa/monthly_sold for 2026-03-01 again"):
        load(duck, connection, lake, manifest)
    assert loaded(connection) == [(DAY, 1)]


def test_an_error_in_the_middle_leaves_the_table_as_it_was(
    duck: DuckDBWarehouse, connection: duckdb.DuckDBPyConnection, lake: Lake
) -> None:
    load(duck, connection, lake, partition(lake, 1))
    manifest = partition(lake, 5, None)  # a row that the gate would have stopped; the column is not null
    with pytest.raises(duckdb.ConstraintException):
        load(duck, connection, lake, manifest)
    assert loaded(connection) == [(DAY, 1)]


def test_a_day_is_loaded_as_a_whole_or_not_at_all(
    duck: DuckDBWarehouse, connection: duckdb.DuckDBPyConnection, lake: Lake
) -> None:
    load(duck, connection, lake, partition(lake, 1))
    no_sellers = pa.Table.from_pylist([], schema=BUY_BOX.schema)
    other = silver.write(lake, Decoded(BUY_BOX, 0, no_sellers, 0, ()), DAY, "b")
    lake.write(other.objects[0].path, b"damaged")
    with pytest.raises(DamagedDataError, match="buy_box"):
        duck.load_day(connection, lake, {MONTHLY_SOLD: partition(lake, 5), BUY_BOX: other})
    assert loaded(connection) == [(DAY, 1)]


def test_tables_of_different_syncs_are_not_mixed(
    duck: DuckDBWarehouse, connection: duckdb.DuckDBPyConnection, lake: Lake
) -> None:
    no_sellers = pa.Table.from_pylist([], schema=BUY_BOX.schema)
    other = silver.write(lake, Decoded(BUY_BOX, 0, no_sellers, 0, ()), DAY, "an older sync")
    with pytest.raises(PermanentError, match=r"2026-03-01 were decoded from different syncs.*again"):
        duck.load_day(connection, lake, {MONTHLY_SOLD: partition(lake, 5), BUY_BOX: other})


def test_an_older_table_is_named_with_what_to_do(
    duck: DuckDBWarehouse, connection: duckdb.DuckDBPyConnection, lake: Lake
) -> None:
    connection.execute("create schema raw; create table raw.keepa_monthly_sold (asin varchar)")
    with pytest.raises(PermanentError, match=r"raw.keepa_monthly_sold has other columns than its contract"):
        load(duck, connection, lake, partition(lake, 1))


def test_a_warehouse_held_by_another_process_is_worth_another_try(
    duck: DuckDBWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warehouse, "_LOCK_WAIT_SECONDS", 0.5)
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import duckdb; c = duckdb.connect({str(duck.path)!r}); print('held', flush=True); input()",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    holder.stdout.readline()
    try:
        with pytest.raises(PassingError, match="held by another process"), duck.connect():
            pass
    finally:
        holder.communicate(b"\n")
    with duck.connect():
        pass


def test_a_folder_in_the_place_of_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "warehouse.duckdb").mkdir()
    with (
        pytest.raises(PermanentError, match="cannot be opened"),
        DuckDBWarehouse(tmp_path / "warehouse.duckdb").connect(),
    ):
        pass
