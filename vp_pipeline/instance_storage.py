"""Dagster's own SQLite storage, with the connection to its index kept open.

Stock Dagster makes an engine and opens the file anew for every statement, 14 ms an event on 2 cores; a run of a day has
900 events. Kept, it is 5 ms (`docs/performance.md`). `dagster.yaml` names this class; what is stored, and where, is
Dagster's. The file of a run is still closed after each event: the UI's live log follows its changes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorage
from dagster._core.storage.sql import create_engine
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, NullPool, QueuePool

# Files of runs whose engine is kept: a process writes one run, the UI looks at a few.
_RUNS = 16


class KeptSqliteEventLogStorage(SqliteEventLogStorage):
    """See the module. `_connect` is all that differs."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engine = lru_cache(maxsize=_RUNS)(self._new_engine)
        super().__init__(base_dir, inst_data)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            engine = self._engine(shard)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.connect() as connection, connection.begin():
                yield connection

    def dispose(self) -> None:
        """Closes what is open; a later use opens it again."""
        super().dispose()
        self._engine(INDEX_SHARD_NAME).dispose()

    def _new_engine(self, shard: str) -> Engine:
        kept: dict[str, Any] = {"poolclass": QueuePool, "pool_size": 1}
        return create_engine(
            self.conn_string_for_shard(shard),
            connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS},
            **(kept if shard == INDEX_SHARD_NAME else {"poolclass": NullPool}),
        )


class KeptSqliteStorage(DagsterSqliteStorage):
    """`storage: sqlite` with `KeptSqliteEventLogStorage`, in the same files."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(base_dir, inst_data)
        stock = self._event_log_storage
        self._event_log_storage = KeptSqliteEventLogStorage(stock._base_dir)

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> "KeptSqliteStorage":
        """From `storage: custom` of dagster.yaml; `base_dir` is the folder."""
        return cls.from_local(inst_data=inst_data, **config_value)
