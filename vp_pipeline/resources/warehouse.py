"""The warehouse: RAW tables made from the contracts, loaded one partition at a time.

Here: DuckDB. A DuckDB file takes one writing process, so every asset that opens it is in the pool `DUCKDB_POOL`.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from vp_pipeline.failures import PassingError, PermanentError
from vp_pipeline.resources.lake import Lake
from vp_pipeline.resources.manifests import SilverManifest, verified
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

    def load_partition(
        self,
        connection: Connection,
        lake: Lake,
        table: Table,
        manifest: SilverManifest,
        now: datetime | None = None,
    ) -> Load:
        """Makes the table's partition equal to the manifest's files, in one transaction.

        Deletes the day, reads exactly the files that the manifest lists, compares the rows with it, and commits; on
        any difference the transaction is rolled back and yesterday's version stays.

        Raises:
            DamagedDataError: a file is not what the manifest says.
            PermanentError: the rows loaded differ from the manifest's.
        """
        day = manifest.run_date
        remedy = f"Materialize silver/{table.source}/{table.name} for {day} again."
        files = [(item.path, str(lake.local_path(item.path))) for item, _ in verified(lake, manifest.objects, remedy)]
        digest = manifest.digest
        name = f"raw.{table.raw_name}"
        connection.execute("begin")
        try:
            _create(connection, table)
            if self._loaded(connection, table, day) == (digest, manifest.rows):
                connection.execute("rollback")
                return Load(manifest.rows, unchanged=True)
            connection.execute(f"delete from {name} where _run_date = ?", [day])
            columns = ", ".join(f'"{c.name}"' for c in table.columns)
            loaded_at = (now or datetime.now(UTC)).astimezone(UTC).replace(tzinfo=None)
            for path, file in files:
                connection.execute(
                    f"insert into {name} by name select {columns}, ?::date as _run_date, "
                    "snapshot_at as _snapshot_at, ? as _source_object, ?::timestamp as _loaded_at "
                    "from read_parquet(?)",
                    [day, path, loaded_at, file],
                )
            rows = _count(connection, table, day)
            if rows != manifest.rows:
                raise PermanentError(
                    f"{name} took {rows} rows for {day} where the manifest says {manifest.rows}. The load was rolled "
                    f"back and the table is as it was. {remedy}"
                )
            connection.execute("delete from raw._loads where table_name = ? and run_date = ?", [table.raw_name, day])
            connection.execute("insert into raw._loads values (?, ?, ?, ?)", [table.raw_name, day, digest, rows])
            connection.execute("commit")
        except BaseException:
            connection.execute("rollback")
            raise
        return Load(rows, unchanged=False)

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

    def _loaded(self, connection: Connection, table: Table, day: date) -> tuple[str, int] | None:
        found = connection.execute(
            "select digest from raw._loads where table_name = ? and run_date = ?", [table.raw_name, day]
        ).fetchone()
        return None if found is None else (found[0], _count(connection, table, day))

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


def _create(connection: Connection, table: Table) -> None:
    connection.execute("create schema if not exists raw")
    connection.execute(
        "create table if not exists raw._loads (table_name varchar, run_date date, digest varchar, rows bigint)"
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
