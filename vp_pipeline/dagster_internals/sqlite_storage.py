"""Dagster's own SQLite storage, with its connections kept open.

Stock Dagster makes an engine and opens the file anew for every statement, 14 ms per event on 2 cores; a run of a day
has 900 events. Kept, it is 3 ms (`docs/performance.md`). `dagster.yaml` names `KeptSqliteStorage`; what is stored, and
where, is Dagster's, but for one thing: a check that a run only plans has no result (`storage/evaluated_checks.py`).

Private names:

- `DagsterSqliteStorage`, `ConfigurableClassData`: the storage that is extended, and how dagster.yaml configures it.
  Guard: `dagster_internals/test_sqlite_storage.py::test_what_is_stored_is_what_dagster_reads`
- `SqliteEventLogStorage`, `INDEX_SHARD_NAME`: its events, and where it keeps the newest of each asset.
  Guard: `dagster_internals/test_sqlite_storage.py::test_what_is_stored_is_what_dagster_reads`
- `create_engine`, `create_db_conn_string`, `SQLITE_BUSY_TIMEOUT_SECONDS`: how it connects.
  Guard: `dagster_internals/test_sqlite_storage.py::test_what_is_stored_is_what_dagster_reads`
- `SqliteEventLogStorageWatchdog`: how the UI learns of new events.
  Guard: `dagster_internals/test_sqlite_storage.py::test_a_watcher_in_another_process_receives_each_event`
"""

import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy
from dagster._core.storage.event_log.sqlite.sqlite_event_log import (
    INDEX_SHARD_NAME,
    SqliteEventLogStorage,
    SqliteEventLogStorageWatchdog,
)
from dagster._core.storage.sql import create_engine
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS, create_db_conn_string
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData
from watchdog.events import FileSystemEvent

from vp_pipeline.dagster_internals.storage.evaluated_checks import NoPlannedChecks

# Runs whose file is kept open: a process writes one of them, the UI looks at a few.
_RUNS = 8
# The log's file changes before SQLite lets others read what was written to it, by microseconds on a calm machine.
_SECONDS_UNTIL_READABLE = 0.25


class KeptSqliteEventLogStorage(NoPlannedChecks, SqliteEventLogStorage):
    """Differs from Dagster's in how it connects and in which files it watches for changes."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._index = self._new_engine(base_dir, INDEX_SHARD_NAME)
        self._runs: OrderedDict[str, sqlalchemy.Engine] = OrderedDict()
        super().__init__(base_dir, inst_data)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[sqlalchemy.Connection]:
        with self._db_lock:
            engine = self._index if shard == INDEX_SHARD_NAME else self._of_run(shard)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.connect() as connection, connection.begin():
                yield connection

    def has_table(self, table_name: str) -> bool:
        """Whether a table exists; called before every check result is stored."""
        with self._index.connect() as connection:
            return bool(self._index.dialect.has_table(connection, table_name))

    def watch(self, run_id: str, cursor: str | None, callback: Any) -> None:
        """As Dagster's, which looks at the file of the run alone: kept open, it is the log beside it that changes."""
        super().watch(run_id, cursor, callback)
        observer: Any = self._obs
        stock, watched = self._watchers[run_id][callback]
        ours = _Watchdog(self, run_id, callback, cursor)
        observer.add_handler_for_watch(ours, watched)
        observer.remove_handler_for_watch(stock, watched)
        self._watchers[run_id][callback] = (ours, watched)

    def dispose(self) -> None:
        """Closes what is open; a later use opens it again."""
        super().dispose()
        self._index.dispose()
        self._let_go(0)

    def wipe(self) -> None:
        """Removes everything; no file that is gone stays open."""
        self._let_go(0)
        super().wipe()

    def _of_run(self, run_id: str) -> sqlalchemy.Engine:
        if run_id not in self._runs:
            self._let_go(_RUNS - 1)
            self._runs[run_id] = self._new_engine(self._base_dir, run_id)
        self._runs.move_to_end(run_id)
        return self._runs[run_id]

    def _let_go(self, but: int) -> None:
        while len(self._runs) > but:
            self._runs.popitem(last=False)[1].dispose()

    def _new_engine(self, base_dir: str, shard: str) -> sqlalchemy.Engine:
        engine = create_engine(
            create_db_conn_string(base_dir, shard),
            connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS},
            poolclass=sqlalchemy.QueuePool,
            pool_size=1,
        )
        # What SQLite advises for its write-ahead log: a power cut may take the last events, a killed process none.
        sqlalchemy.event.listen(engine, "connect", lambda opened, _: opened.execute("pragma synchronous = normal"))
        return engine


class _Watchdog(SqliteEventLogStorageWatchdog):
    """Looks twice: at once, and when what was being written can be read, since no other change tells of it."""

    def __init__(self, storage: KeptSqliteEventLogStorage, run_id: str, callback: Any, cursor: str | None) -> None:
        super().__init__(storage, run_id, callback, cursor)
        self._patterns = [self._log_path, f"{self._log_path}-wal"]

    def on_modified(self, event: FileSystemEvent) -> None:
        self._process_log()
        time.sleep(_SECONDS_UNTIL_READABLE)
        self._process_log()


class KeptSqliteStorage(DagsterSqliteStorage):
    """`storage: sqlite` with `KeptSqliteEventLogStorage`, in the same files."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(base_dir, inst_data)
        self._event_log_storage = KeptSqliteEventLogStorage(self._event_log_storage._base_dir)

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> "KeptSqliteStorage":
        """From `storage: custom` of dagster.yaml; `base_dir` is the folder."""
        return cls.from_local(inst_data=inst_data, **config_value)
