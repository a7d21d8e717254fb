"""RAW: a partition is replaced in one transaction or stays as it was, in DuckDB and in Snowflake alike."""

import dataclasses
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from vp_pipeline.failures import DamagedDataError, PermanentError, TransientError
from vp_pipeline.lake import silver
from vp_pipeline.lake.manifests import SilverManifest
from vp_pipeline.lake.objects import Lake
from vp_pipeline.sources.contract import INT, TEXT, Column, Table, Type
from vp_pipeline.sources.keepa.tables import BUY_BOX, MONTHLY_SOLD
from vp_pipeline.sources.landed import Decoded
from vp_pipeline.sources.stream_days import StreamDay
from vp_pipeline.warehouse import duckdb as duckdb_warehouse
from vp_pipeline.warehouse import ledger
from vp_pipeline.warehouse.connection import Connection
from vp_pipeline.warehouse.duckdb import DuckDBWarehouse
from vp_pipeline.warehouse.loading import Load, Warehouse, row_counts
from vp_pipeline.warehouse.loads import give_up, outdated_days
from vp_pipeline_tests.stand_ins.s3 import S3StandIn, s3_stand_in
from vp_pipeline_tests.stand_ins.snowflake import SnowflakeStandIn, snowflake_stand_in

DAY, NEXT = date(2026, 3, 1), date(2026, 3, 2)
MOMENT = datetime(2026, 3, 1, 23, 59)


@pytest.fixture(scope="module")
def stand_ins() -> Iterator[tuple[S3StandIn, SnowflakeStandIn]]:
    with s3_stand_in() as s3, snowflake_stand_in(s3.url) as snowflake:
        yield s3, snowflake


@pytest.fixture(params=["duckdb", pytest.param("snowflake", marks=pytest.mark.integration)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Lake, Warehouse]]:
    """A lake and a warehouse of each kind: what follows holds for both."""
    if request.param == "duckdb":
        yield Lake(tmp_path / "lake"), DuckDBWarehouse(tmp_path / "warehouse.duckdb")
        return
    s3, snowflake = request.getfixturevalue("stand_ins")
    store = s3.new_lake()
    snowflake.deploy(store.url)
    yield Lake(store), snowflake.warehouse()
    snowflake.query("drop schema raw cascade")


@pytest.fixture
def lake(place: tuple[Lake, Warehouse]) -> Lake:
    return place[0]


@pytest.fixture
def warehouse(place: tuple[Lake, Warehouse]) -> Warehouse:
    return place[1]


@pytest.fixture
def connection(warehouse: Warehouse) -> Iterator[Connection]:
    with warehouse.connect() as connection:
        yield connection


def partition(lake: Lake, *sold: int | None, day: date = DAY, bronze: str = "b", decoder: str = "d") -> SilverManifest:
    """A silver partition with a row for each of `sold`."""
    return silver.write(
        lake, Decoded(MONTHLY_SOLD, len(sold), partition_rows(*sold), 0, ()), day, bronze=bronze, decoder=decoder
    )


def partition_rows(*sold: int | None) -> pa.Table:
    rows = [
        {"asin": f"B{n:09}", "domain_id": 1, "observed_at": MOMENT, "snapshot_at": MOMENT, "monthly_sold": value}
        for n, value in enumerate(sold)
    ]
    lenient = pa.schema([field.with_nullable(True) for field in MONTHLY_SOLD.schema])
    return pa.Table.from_pylist(rows, schema=lenient)


def load(
    warehouse: Warehouse,
    connection: Connection,
    lake: Lake,
    manifest: SilverManifest,
    now: datetime | None = None,
) -> Load:
    return warehouse.load_day(connection, lake, {MONTHLY_SOLD: manifest}, now)[MONTHLY_SOLD]


def loaded(connection: Connection) -> list[tuple[object, ...]]:
    return sorted(connection.execute("select _run_date, monthly_sold from raw.keepa_monthly_sold").fetchall())


def test_a_partition_is_loaded_with_its_columns(warehouse: Warehouse, connection: Connection, lake: Lake) -> None:
    manifest = partition(lake, 100)
    assert not load(warehouse, connection, lake, manifest, datetime(2026, 3, 3)).unchanged
    row = connection.execute("select * from raw.keepa_monthly_sold").fetchone()
    path = "silver/keepa/monthly_sold/run_date=2026-03-01/part-00000.parquet"
    assert row == ("B000000000", 1, MOMENT, MOMENT, 100, DAY, MOMENT, path, datetime(2026, 3, 3))


def test_the_same_partition_again_writes_nothing(warehouse: Warehouse, connection: Connection, lake: Lake) -> None:
    manifest = partition(lake, 100, 200)
    load(warehouse, connection, lake, manifest)
    before = connection.execute("select * from raw.keepa_monthly_sold").fetchall()
    assert load(warehouse, connection, lake, manifest).unchanged
    assert connection.execute("select * from raw.keepa_monthly_sold").fetchall() == before


def test_a_changed_partition_replaces_its_day_alone(warehouse: Warehouse, connection: Connection, lake: Lake) -> None:
    load(warehouse, connection, lake, partition(lake, 1, 2, 3))
    load(warehouse, connection, lake, partition(lake, 7, day=NEXT))
    load(warehouse, connection, lake, partition(lake, 9))
    assert loaded(connection) == [(DAY, 9), (NEXT, 7)]


def test_rows_that_went_missing_are_loaded_again(warehouse: Warehouse, connection: Connection, lake: Lake) -> None:
    manifest = partition(lake, 1, 2)
    load(warehouse, connection, lake, manifest)
    connection.execute("delete from raw.keepa_monthly_sold where monthly_sold = 1")
    assert not load(warehouse, connection, lake, manifest).unchanged
    assert loaded(connection) == [(DAY, 1), (DAY, 2)]


def test_fewer_rows_than_the_manifest_are_rolled_back(warehouse: Warehouse, connection: Connection, lake: Lake) -> None:
    load(warehouse, connection, lake, partition(lake, 1))
    manifest = partition(lake, 5, 6)
    (item,) = manifest.objects
    wrong = manifest.model_copy(update={"objects": (item.model_copy(update={"records": 3}),)})
    with pytest.raises(PermanentError, match=r"took 2 rows for 2026-03-01 where the manifest has 3.*rolled back"):
        load(warehouse, connection, lake, wrong)
    assert loaded(connection) == [(DAY, 1)]


def test_a_file_that_differs_from_its_manifest_is_not_loaded(
    warehouse: Warehouse, connection: Connection, lake: Lake
) -> None:
    load(warehouse, connection, lake, partition(lake, 1))
    manifest = partition(lake, 5)
    partition(lake, 6)  # the file is replaced, as when silver is built again between reading and loading
    with pytest.raises(DamagedDataError, match="`vp rebuild silver --from 2026-03-01 --to 2026-03-01`"):
        load(warehouse, connection, lake, manifest)
    assert loaded(connection) == [(DAY, 1)]


def test_an_error_in_the_middle_leaves_the_table_as_it_was(
    warehouse: Warehouse, connection: Connection, lake: Lake
) -> None:
    load(warehouse, connection, lake, partition(lake, 1))
    # A row that the gate would have stopped: the column is not null.
    rows = partition_rows(5, 6).set_column(0, "asin", pa.array(["B000000000", None]))
    manifest = silver.write(lake, Decoded(MONTHLY_SOLD, 2, rows, 0, ()), DAY, bronze="b", decoder="d")
    with pytest.raises((duckdb.ConstraintException, PermanentError), match=r"(?i)not null|non-nullable"):
        load(warehouse, connection, lake, manifest)
    assert loaded(connection) == [(DAY, 1)]


def test_a_day_is_loaded_as_a_whole_or_not_at_all(warehouse: Warehouse, connection: Connection, lake: Lake) -> None:
    load(warehouse, connection, lake, partition(lake, 1))
    no_sellers = pa.Table.from_pylist([], schema=BUY_BOX.schema)
    other = silver.write(lake, Decoded(BUY_BOX, 0, no_sellers, 0, ()), DAY, bronze="b", decoder="d")
    lake.write(other.objects[0].path, b"damaged")
    with pytest.raises(DamagedDataError, match="buy_box"):
        warehouse.load_day(connection, lake, {MONTHLY_SOLD: partition(lake, 5), BUY_BOX: other})
    assert loaded(connection) == [(DAY, 1)]


def test_tables_of_different_syncs_are_not_mixed(warehouse: Warehouse, connection: Connection, lake: Lake) -> None:
    no_sellers = pa.Table.from_pylist([], schema=BUY_BOX.schema)
    other = silver.write(lake, Decoded(BUY_BOX, 0, no_sellers, 0, ()), DAY, bronze="an older sync", decoder="d")
    with pytest.raises(PermanentError, match=r"2026-03-01 were decoded from different syncs.*again"):
        warehouse.load_day(connection, lake, {MONTHLY_SOLD: partition(lake, 5), BUY_BOX: other})


def test_tables_of_different_decoders_are_not_mixed(warehouse: Warehouse, connection: Connection, lake: Lake) -> None:
    no_sellers = pa.Table.from_pylist([], schema=BUY_BOX.schema)
    other = silver.write(lake, Decoded(BUY_BOX, 0, no_sellers, 0, ()), DAY, bronze="b", decoder="an older one")
    with pytest.raises(PermanentError, match=r"2026-03-01 were decoded from different syncs, or by different code"):
        warehouse.load_day(connection, lake, {MONTHLY_SOLD: partition(lake, 5), BUY_BOX: other})


def validated(connection: Connection, *, excluded: dict[date, str]) -> None:
    """As a whole build leaves the ledger that has included the day or excluded it."""
    included = [StreamDay(day, "keepa", "product") for day in {DAY} - excluded.keys()]
    left_out = {StreamDay(day, "keepa", "product"): reason for day, reason in excluded.items()}
    ledger.set_days(connection, included, left_out, is_validated=True, run_id="r")


def test_days_of_another_decoder_are_outdated(warehouse: Warehouse, connection: Connection, lake: Lake) -> None:
    load(warehouse, connection, lake, partition(lake, 1))
    load(warehouse, connection, lake, partition(lake, 2, day=NEXT, decoder="e"))
    assert outdated_days(connection, [MONTHLY_SOLD, BUY_BOX], "e") == [DAY]
    assert outdated_days(connection, [BUY_BOX], "e") == []
    load(warehouse, connection, lake, partition(lake, 1, decoder="e"))
    assert outdated_days(connection, [MONTHLY_SOLD], "e") == []


def test_the_same_rows_of_another_decoder_are_not_loaded_and_not_validated_again(
    warehouse: Warehouse, connection: Connection, lake: Lake
) -> None:
    load(warehouse, connection, lake, partition(lake, 1))
    validated(connection, excluded={})
    assert load(warehouse, connection, lake, partition(lake, 1, decoder="e")).unchanged
    assert ledger.pending_days(connection) == []


def test_a_day_that_is_given_up_is_decided_on_by_the_next_build(
    warehouse: Warehouse, connection: Connection, lake: Lake
) -> None:
    load(warehouse, connection, lake, partition(lake, 1))
    validated(connection, excluded={})
    give_up(connection, [MONTHLY_SOLD], [DAY])
    assert ledger.pending_days(connection) == [DAY]
    validated(connection, excluded={DAY: "it could not be decoded again"})
    give_up(connection, [MONTHLY_SOLD], [DAY])
    assert ledger.pending_days(connection) == []  # it is excluded already
    # Whichever code is there then, also the one of before, loads it again and has it decided on.
    assert outdated_days(connection, [MONTHLY_SOLD], "d") == [DAY]
    assert load(warehouse, connection, lake, partition(lake, 1)).unchanged
    assert ledger.pending_days(connection) == [DAY]
    assert outdated_days(connection, [MONTHLY_SOLD], "d") == []


def test_a_day_that_the_ledger_does_not_know_can_be_given_up(
    warehouse: Warehouse, connection: Connection, lake: Lake
) -> None:
    load(warehouse, connection, lake, partition(lake, 1))
    connection.execute("delete from raw._days")
    give_up(connection, [MONTHLY_SOLD], [DAY])
    assert ledger.pending_days(connection) == [DAY]
    assert ledger.excluded(connection) == {}


def test_loads_of_before_decoders_were_recorded_are_outdated(
    warehouse: Warehouse, connection: Connection, lake: Lake
) -> None:
    load(warehouse, connection, lake, partition(lake, 1))
    connection.execute("alter table raw._loads drop column decoder")
    connection.execute("drop table raw._schema_version")
    with warehouse.connect():
        pass  # opened for writing, it is migrated
    assert outdated_days(connection, [MONTHLY_SOLD], "d") == [DAY]
    assert load(warehouse, connection, lake, partition(lake, 1)).unchanged
    assert outdated_days(connection, [MONTHLY_SOLD], "d") == []


def test_an_older_table_is_named_with_what_to_do(warehouse: Warehouse, connection: Connection, lake: Lake) -> None:
    connection.execute("create schema if not exists raw")
    connection.execute("create table raw.keepa_monthly_sold (asin varchar)")
    with pytest.raises(PermanentError, match=r"raw.keepa_monthly_sold has other columns than its contract"):
        load(warehouse, connection, lake, partition(lake, 1))


def test_a_new_nullable_column_is_added(warehouse: Warehouse, connection: Connection, lake: Lake) -> None:
    load(warehouse, connection, lake, partition(lake, 1))
    note = Column("note", TEXT, "What a later version of the contract adds.", nullable=True)
    later = dataclasses.replace(MONTHLY_SOLD, columns=(*MONTHLY_SOLD.columns, note))
    rows = partition_rows(7).append_column("note", pa.array(["new"]))
    manifest = silver.write(lake, Decoded(later, 1, rows, 0, ()), NEXT, bronze="b", decoder="d")
    warehouse.load_day(connection, lake, {later: manifest})
    found = connection.execute("select monthly_sold, note from raw.keepa_monthly_sold").fetchall()
    assert sorted(map(tuple, found)) == [(1, None), (7, "new")]


def test_a_decimal_keeps_its_digits_and_another_scale_is_another_column(
    warehouse: Warehouse, connection: Connection, lake: Lake
) -> None:
    def with_weight(kind: Type) -> Table:
        weight = Column("weight", kind, "Weight.", unit="kg", nullable=True)
        return dataclasses.replace(MONTHLY_SOLD, columns=(*MONTHLY_SOLD.columns, weight))

    table = with_weight(Type.decimal(18, 4))
    exact = [Decimal("0.1001"), Decimal("-99999999999999.9999"), None]
    rows = partition_rows(1, 2, 3).append_column("weight", pa.array(exact, table.columns[-1].type.arrow))
    manifest = silver.write(lake, Decoded(table, 3, rows, 0, ()), DAY, bronze="b", decoder="d")
    for _ in range(2):  # the second time the columns of the table are compared with the contract's
        warehouse.load_day(connection, lake, {table: manifest})
    found = connection.execute("select weight from raw.keepa_monthly_sold order by monthly_sold").fetchall()
    assert [value for (value,) in found] == exact
    finer = with_weight(Type.decimal(18, 5))
    with pytest.raises(PermanentError, match=r"\(weight\).*alter column weight set data type decimal\(18,5\)"):
        warehouse.load_day(connection, lake, {finer: manifest})


def test_a_column_that_became_nullable_takes_null(warehouse: Warehouse, connection: Connection, lake: Lake) -> None:
    strict = tuple(dataclasses.replace(column, nullable=False) for column in MONTHLY_SOLD.columns)
    earlier = dataclasses.replace(MONTHLY_SOLD, columns=strict)
    warehouse.load_day(connection, lake, {earlier: partition(lake, 1)})
    load(warehouse, connection, lake, partition(lake, None, day=NEXT))
    assert loaded(connection) == [(DAY, 1), (NEXT, None)]


def test_any_other_change_stops_with_its_statements(warehouse: Warehouse, connection: Connection, lake: Lake) -> None:
    load(warehouse, connection, lake, partition(lake, 1))
    must = Column("must", INT, "A column that may not be null.")
    later = dataclasses.replace(MONTHLY_SOLD, columns=(*MONTHLY_SOLD.columns[:-1], must))
    manifest = partition(lake, 2)
    with pytest.raises(PermanentError, match=r"Apply `alter table raw.keepa_monthly_sold add column .*must.* null; "):
        warehouse.load_day(connection, lake, {later: manifest})
    with pytest.raises(PermanentError, match=r"alter table raw.keepa_monthly_sold drop column monthly_sold`"):
        warehouse.load_day(connection, lake, {later: manifest})
    assert loaded(connection) == [(DAY, 1)]


def test_rows_of_relations_that_exist_are_counted(
    warehouse: Warehouse, connection: Connection, lake: Lake, place: object
) -> None:
    load(warehouse, connection, lake, partition(lake, 1, 2))
    assert row_counts(connection, [("raw", "keepa_monthly_sold"), ("raw", "nothing")]) == {
        ("raw", "keepa_monthly_sold"): 2
    }


def test_a_warehouse_held_by_another_process_is_a_transient_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    duck = DuckDBWarehouse(tmp_path / "warehouse.duckdb")
    monkeypatch.setattr(duckdb_warehouse, "_LOCK_WAIT_SECONDS", 0.5)
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
        with pytest.raises(TransientError, match="held by another process"), duck.connect():
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
