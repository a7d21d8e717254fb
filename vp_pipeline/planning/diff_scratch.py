"""The scratch folder of a diff: a copy of the local warehouse, which is gone when the diff ends.

Here: making the copy and removing it, whatever happens meanwhile. Not here: what is built on it (`diff.py`).
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vp_pipeline.failures import PermanentError, TransientError
from vp_pipeline.settings import Settings
from vp_pipeline.warehouse.duckdb import DuckDBWarehouse

FOLDER = ".diff"


def require_duckdb(settings: Settings) -> None:
    """Raises unless there is a warehouse that can be copied.

    Raises:
        PermanentError: the warehouse is not a DuckDB file, or nothing was built yet.
    """
    if settings.engine != "duckdb":
        raise PermanentError("vp diff needs a DuckDB warehouse for now: run it with VP_ENV=local.")
    if not settings.warehouse_path.exists():
        raise PermanentError(f"There is no warehouse at {settings.warehouse_path} yet: `vp run` makes it.")


@contextmanager
def warehouse_copy(settings: Settings) -> Iterator[Settings]:
    """The same settings on a scratch folder, which holds a copy of the warehouse and nothing else. The folder is
    removed at the end of the block; what a killed diff left is removed at the beginning of the next one.

    Raises:
        TransientError: a run holds the warehouse, or another diff is running.
    """
    with _only_diff(settings.data_dir):
        scratch = settings.model_copy(update={"data_dir": settings.data_dir / FOLDER})
        shutil.rmtree(scratch.data_dir, ignore_errors=True)
        try:
            scratch.data_dir.mkdir()
            _copy(settings.warehouse_path, scratch.warehouse_path)
            yield scratch
        finally:
            shutil.rmtree(scratch.data_dir, ignore_errors=True)


@contextmanager
def _only_diff(data_dir: Path) -> Iterator[None]:
    """One diff at a time. The lock is on the folder itself: there is no file that would be left behind."""
    descriptor = os.open(data_dir, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise TransientError(f"Another vp diff is running on {data_dir}. Run it again when that one is done.") from None
    finally:
        os.close(descriptor)


def _copy(warehouse: Path, copy: Path) -> None:
    """Copies the file while it is open for reading: no other process can write meanwhile.

    The log of what is not in the file yet is copied first: closing the file after it was copied ends the lock, which
    belongs to the process.
    """
    with DuckDBWarehouse(warehouse).connect(read_only=True):
        log = warehouse.with_name(f"{warehouse.name}.wal")
        if log.exists():
            shutil.copyfile(log, copy.with_name(f"{copy.name}.wal"))
        shutil.copyfile(warehouse, copy)
