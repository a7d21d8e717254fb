"""The warehouse: RAW tables made from the contracts, loaded one partition at a time.

Here: DuckDB. A DuckDB file takes one writing process, so every asset that opens it is in the pool `DUCKDB_POOL`.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from vp_pipeline.failures import PassingError, PermanentError
from vp_pipeline.resources import ledger
from vp_pipeline.resources.lake import Lake
from vp_pipeline.resources.manifests import SilverManifest, verified
from vp_pipeline.resources.transaction import transaction
from vp_pipeline.sources.contract import RAW_COLUMNS, Column, Table

if TYPE_CHECKING:
    import duckdb

Connection: TypeAlias = "duckdb.DuckDBPyConnection"
DUCKDB_POOL = "duckdb"
# Another process may hold the file for the length of its own transaction.
_LOCK_WAIT_SECONDS = 30.0


@dataclass(frozen=True)
class Load:
    """What loading a partition did. `unchanged`: the same rows were there already, so nothing was written."""

    rows: int
    unchanged: bool


@dataclass(frozen=True)
class DuckDBWarehouse:
    """A warehouse in a DuckDB file."""

    path: Path

    @contextmanager
    def connect(self, *, read_only: bool = False) -> Iterator[Connection]:
        """A connection that is closed at the end of the block.

        Raises:
            PassingError: another process kept the file locked for 30 s.
            PermanentError: the file cannot be opened.
        """
        connection = self._open(read_only)
        try:
            yield connection
        finally:
            connection.close()

    def load_day(
        self,
        connection: Connection,
        lake: Lake,
        partitions: Mapping[Table, SilverManifest],
        now: datetime | None = None,
    ) -> dict[Table, Load]:
        """Makes a day of a stream's tables equal to the manifests' files, all of them in one transaction.

        For each table: deletes the day, reads exactly the files that the manifest lists, and compares the rows with it.
        Any difference rolls back every table, and yesterday's version of the whole day stays: a day in RAW is whole.

        Raises:
            DamagedDataError: a file is not what the manifest says.
            PermanentError: the manifests are of different syncs, or the rows loaded differ from a manifest's.
        """
        if len({manifest.bronze for manifest in partitions.values()}) > 1:
            (source, day) = next((m.source, m.run_date) for m in partitions.values())
            raise PermanentError(
                f"The silver tables of {source} for {day} were decoded from different syncs (a run was stopped between "
                f"them). Materialize silver of {source} for {day} again."
            )
        loaded_at = (now or datetime.now(UTC)).astimezone(UTC).replace(tzinfo=None)
        with transaction(connection):
            loads = {
                table: _load(connection, lake, table, manifest, loaded_at) for table, manifest in partitions.items()
            }
            changed = {(t.source, t.stream, partitions[t].run_date) for t, load in loads.items() if not load.unchanged}
            for source, stream, day in sorted(changed):
                ledger.day_loaded(connection, (source, stream), day)
        return loads

    def row_counts(self, relations: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """Rows of each (schema, name) that exists."""
        if not relations or not self.path.exists():
            return {}
        with self.connect(read_only=True) as connection:
            there = set(connection.execute("select table_schema, table_name from information_schema.tables").fetchall())
            wanted = [r for r in relations if r in there]
            if not wanted:
                return {}
            query = " union all ".join(
                f"""select '{schema}', '{name}', count(*) from "{schema}"."{name}\"""" for schema, name in wanted
            )
            return {(schema, name): rows for schema, name, rows in connection.execute(query).fetchall()}

    def _open(self, read_only: bool) -> Connection:
        import duckdb  # 0.1 s that the code location need not pay

        self.path.parent.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + _LOCK_WAIT_SECONDS
        while True:
            try:
                return duckdb.connect(str(self.path), read_only=read_only)
            except duckdb.IOException as error:
                if "lock" not in str(error).lower():
                    raise PermanentError(f"The warehouse {self.path} cannot be opened: {error}") from None
                if time.monotonic() > deadline:
                    raise PassingError(
                        f"The warehouse {self.path} is held by another process ({error}). Close it and run again."
                    ) from None
                time.sleep(0.2)


def _load(connection: Connection, lake: Lake, table: Table, manifest: SilverManifest, loaded_at: datetime) -> Load:
    import pyarrow as pa
    import pyarrow.parquet as pq

    day, name = manifest.run_date, f"raw.{table.raw_name}"
    remedy = f"Materialize silver/{table.source}/{table.name} for {day} again."
    # The very bytes that were verified are loaded: a file may be replaced between two looks at it.
    files = {
        item.path: pq.read_table(pa.BufferReader(content)) for item, content in verified(lake, manifest.objects, remedy)
    }
    _create(connection, table)
    if _loaded(connection, table, day) == (manifest.content, manifest.rows):
        return Load(manifest.rows, unchanged=True)
    connection.execute(f"delete from {name} where _run_date = ?", [day])
    columns = ", ".join(f'"{c.name}"' for c in table.columns)
    for path, rows in files.items():
        connection.register("partition_rows", rows)
        connection.execute(
            f"insert into {name} by name select {columns}, ?::date as _run_date, snapshot_at as _snapshot_at, "
            "? as _source_object, ?::timestamp as _loaded_at from partition_rows",
            [day, path, loaded_at],
        )
        connection.unregister("partition_rows")
    count = _count(connection, table, day)
    if count != manifest.rows:
        raise PermanentError(
            f"{name} took {count} rows for {day} where the manifest says {manifest.rows}. The load was rolled back and "
            f"every table of the day is as it was. {remedy}"
        )
    connection.execute("delete from raw._loads where table_name = ? and run_date = ?", [table.raw_name, day])
    connection.execute("insert into raw._loads values (?, ?, ?, ?)", [table.raw_name, day, manifest.content, count])
    return Load(count, unchanged=False)


def _loaded(connection: Connection, table: Table, day: date) -> tuple[str, int] | None:
    """The content that a partition was loaded from, and the rows that it has now."""
    found = connection.execute(
        "select content from raw._loads where table_name = ? and run_date = ?", [table.raw_name, day]
    ).fetchone()
    return None if found is None else (found[0], _count(connection, table, day))


def _create(connection: Connection, table: Table) -> None:
    connection.execute("create schema if not exists raw")
    connection.execute(
        "create table if not exists raw._loads (table_name varchar, run_date date, content varchar, rows bigint)"
    )
    columns = (*table.columns, *RAW_COLUMNS)
    name = f"raw.{table.raw_name}"
    connection.execute(f"create table if not exists {name} ({', '.join(map(_ddl, columns))})")
    there = connection.execute(
        "select column_name, lower(data_type) from information_schema.columns "
        "where table_schema = 'raw' and table_name = ? order by ordinal_position",
        [table.raw_name],
    ).fetchall()
    wanted = [(column.name, column.type.sql) for column in columns]
    if there != wanted:
        differing = sorted({column for column, _ in set(there) ^ set(wanted)})
        raise PermanentError(
            f"{name} has other columns than its contract ({', '.join(differing)}). It was made by another version: "
            f"`drop table {name}` in the warehouse and run the days again; their silver is still there."
        )


def _ddl(column: Column) -> str:
    return f'"{column.name}" {column.type.sql}{"" if column.nullable else " not null"}'


def _count(connection: Connection, table: Table, day: date) -> int:
    found = connection.execute(f"select count(*) from raw.{table.raw_name} where _run_date = ?", [day]).fetchone()
    assert found is not None
    return int(found[0])
