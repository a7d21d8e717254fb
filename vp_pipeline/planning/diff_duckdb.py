"""A diff on DuckDB: the copy is a file in a scratch folder, and both sides are attached to one connection.

Here: making the copy and removing it, whatever happens meanwhile. Not here: what is built on it (`diff.py`).
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from vp_pipeline.failures import TransientError
from vp_pipeline.planning.diff_engine import AFTER, BEFORE, Copy, Side, Sides, shapes_of
from vp_pipeline.publishing.duckdb_reader import DuckDBPublishedFile
from vp_pipeline.publishing.reader import PublishedMarts
from vp_pipeline.settings import Settings
from vp_pipeline.warehouse.duckdb import DuckDBConnection, DuckDBWarehouse

FOLDER = ".diff"
_COLUMNS = (
    "select schema_name || '.' || table_name, column_name, data_type from duckdb_columns() where database_name = ? "
    "and table_oid in (select table_oid from duckdb_tables() where database_name = ?) order by 1, column_index"
)


@dataclass(frozen=True)
class DuckDBDiff:
    """See `Engine`."""

    settings: Settings

    @property
    def warehouse(self) -> DuckDBWarehouse:
        return DuckDBWarehouse(self.settings.warehouse_path)

    @property
    def marts(self) -> PublishedMarts:
        return PublishedMarts(DuckDBPublishedFile(self.settings.published_path))

    @contextmanager
    def copy(self) -> Iterator[Copy]:
        with scratch_folder(self.settings) as scratch:
            _copy(self.warehouse, scratch.warehouse_path)
            yield Copy(scratch, DuckDBWarehouse(scratch.warehouse_path))

    @contextmanager
    def sides(self, copy: Copy | None) -> Iterator[Sides]:
        import duckdb

        built = copy.settings if copy else self.settings
        with duckdb.connect() as connection:
            for side, path in ((BEFORE, self.settings.published_path), (AFTER, built.warehouse_path)):
                quoted = str(path).replace("'", "''")
                try:
                    connection.execute(f"attach '{quoted}' as {side} (read_only)")
                except duckdb.IOException as error:
                    raise TransientError(f"{path} is held by another process ({error}). Run it again.") from None
            yield attached_sides(connection)


def attached_sides(connection: DuckDBConnection) -> Sides:
    """The sides of a connection that has the databases `before` and `after`."""
    import duckdb

    sides: tuple[Side, ...] = (BEFORE, AFTER)
    return Sides(
        connection,
        lambda side, table: f"{side}.{table}",
        {side: shapes_of(connection.execute(_COLUMNS, [side, side]).fetchall()) for side in sides},
        "select count(*), sum(hash(content)) from {} as content",
        '"',
        duckdb.Error,
    )


@contextmanager
def scratch_folder(settings: Settings) -> Iterator[Settings]:
    """The same settings on an empty scratch folder in the data folder, which is removed at the end of the block; what a
    killed diff left is removed at the beginning of the next one.

    Raises:
        TransientError: another diff is running on the data folder.
    """
    with _only_diff(settings.data_dir):
        scratch = settings.model_copy(update={"data_dir": settings.data_dir / FOLDER})
        shutil.rmtree(scratch.data_dir, ignore_errors=True)
        try:
            scratch.data_dir.mkdir()
            yield scratch
        finally:
            shutil.rmtree(scratch.data_dir, ignore_errors=True)


@contextmanager
def _only_diff(data_dir: Path) -> Iterator[None]:
    """One diff at a time. The lock is on the folder itself: there is no file that would be left behind."""
    data_dir.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(data_dir, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise TransientError(f"Another vp diff is running on {data_dir}. Run it again when that one is done.") from None
    finally:
        os.close(descriptor)


def _copy(warehouse: DuckDBWarehouse, copy: Path) -> None:
    """Copies the file while it is open for reading: no other process can write meanwhile.

    The log of what is not in the file yet is copied first: closing the file after it was copied ends the lock, which
    belongs to the process.
    """
    with warehouse.connect(read_only=True):
        log = warehouse.path.with_name(f"{warehouse.path.name}.wal")
        if log.exists():
            shutil.copyfile(log, copy.with_name(f"{copy.name}.wal"))
        shutil.copyfile(warehouse.path, copy)
