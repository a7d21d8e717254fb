"""The local warehouse: RAW in a DuckDB file.

Here: DuckDB. A DuckDB file takes one writing process: a run has the lease (`lease/`). Not here: what loading a day
means on every engine (`loading.py`).
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from vp_pipeline.failures import PermanentError, TransientError
from vp_pipeline.lake.manifests import SilverManifest, verified
from vp_pipeline.lake.objects import Lake
from vp_pipeline.sources.contract import Column, Table
from vp_pipeline.warehouse import migrations
from vp_pipeline.warehouse.loading import Load, Tag, create_tables, load_day, row_counts

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

DuckDBConnection: TypeAlias = "duckdb.DuckDBPyConnection"
# Another process may hold the file for the length of its own transaction.
_LOCK_WAIT_SECONDS = 30.0
# DuckDB's errors of the file itself: a full disk, a file that is damaged or ends too early.
_FILE_ERRORS = ("IOException", "SerializationException", "InternalException", "FatalException")


@dataclass(frozen=True)
class DuckDBWarehouse:
    """A warehouse in a DuckDB file; see `Warehouse`."""

    path: Path
    row_as_json: ClassVar[str] = "cast(to_json(failing) as varchar)"

    @contextmanager
    def connect(self, *, read_only: bool = False, tag: Tag | None = None) -> Iterator[DuckDBConnection]:
        """A connection that is closed at the end of the block. To a reader, a file that is not there yet is empty.

        Raises:
            TransientError: another process kept the file locked for 30 s.
            PermanentError: the file cannot be opened, read or written, or is of a newer version than this code.
        """
        import duckdb

        connection = self._open(read_only)
        try:
            migrations.open_version(connection, read_only=read_only, ddl_commits=False)
            yield connection
        except tuple(getattr(duckdb, name) for name in _FILE_ERRORS) as error:
            raise self._failure("read or written", error) from error
        finally:
            connection.close()

    def load_day(
        self,
        connection: DuckDBConnection,
        lake: Lake,
        partitions: Mapping[Table, SilverManifest],
        now: datetime | None = None,
    ) -> dict[Table, Load]:
        return load_day(_DuckDB(), connection, lake, partitions, now)

    def create_tables(self, connection: DuckDBConnection, tables: Iterable[Table]) -> None:
        create_tables(_DuckDB(), connection, tables)

    def row_counts(self, relations: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
        if not relations:
            return {}
        with self.connect(read_only=True) as connection:
            return row_counts(connection, relations)

    def _open(self, read_only: bool) -> DuckDBConnection:
        import duckdb  # a deferred import: it takes 0.1 s

        if read_only and not self.path.exists():
            return duckdb.connect()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + _LOCK_WAIT_SECONDS
        while True:
            try:
                return duckdb.connect(str(self.path), read_only=read_only)
            except duckdb.Error as error:  # also of a file that ends too early, or of its write-ahead log
                if "lock" not in str(error).lower():
                    raise self._failure("opened", error) from None
                if time.monotonic() > deadline:
                    raise TransientError(
                        f"The warehouse {self.path} is held by another process ({error}). Close it and run again."
                    ) from None
                time.sleep(0.2)

    def _failure(self, what: str, error: "duckdb.Error") -> PermanentError:
        reason = str(error).partition("\n")[0]
        return PermanentError(
            f"The warehouse {self.path} cannot be {what}: {reason}. If the disk is full, make room. Otherwise restore "
            "it from a backup, or move it away: the next run makes a new one and loads every day from silver again."
        )


class _DuckDB:
    """What is specific to DuckDB; see `Engine`."""

    def column(self, column: Column) -> str:
        return f'"{column.name}" {column.type.sql}{"" if column.nullable else " not null"}'

    def reported_type(self, column: Column) -> str:
        return column.type.sql

    def verified_files(self, lake: Lake, manifest: SilverManifest, remedy: str) -> "dict[str, pa.Table]":
        import pyarrow as pa
        import pyarrow.parquet as pq

        # The very bytes that were verified are loaded: a file may be replaced between two reads.
        files = verified(lake, manifest.objects, remedy)
        return {item.path: pq.read_table(pa.BufferReader(content)) for item, content in files}

    def insert(
        self, connection: DuckDBConnection, table: Table, files: "dict[str, pa.Table]", day: date, loaded_at: datetime
    ) -> None:
        columns = ", ".join(f'"{c.name}"' for c in table.columns)
        for path, rows in files.items():
            connection.register("partition_rows", rows)
            connection.execute(
                f"insert into raw.{table.raw_name} by name select {columns}, ?::date as _run_date, "
                "snapshot_at as _snapshot_at, ? as _source_object, ?::timestamp as _loaded_at from partition_rows",
                [day, path, loaded_at],
            )
            connection.unregister("partition_rows")
