"""The lease of one machine: a lock on a file, which the kernel takes from a process the moment it dies.

    lease.lock   locked by the holder; its content means nothing
    lease.json   who that is (`Holder`): for whoever waits, and for people

A killed holder leaves `lease.json` behind; the lock is free all the same. Not here: waiting (`lease.py`).
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from filelock import FileLock, Timeout

from vp_pipeline.data_folder import LEASE
from vp_pipeline.documents import read_bytes, write_whole
from vp_pipeline.failures import PermanentError
from vp_pipeline.warehouse.lease.holder import Holder


@dataclass(frozen=True)
class LeaseFile:
    """The lease on a data folder; see `Store`."""

    folder: Path
    retry_seconds: float = 0.5
    heartbeat_seconds: float | None = None

    @property
    def address(self) -> str:
        return f"{self.folder}"

    def take(self, holder: Holder) -> bool:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(blocking=False)
        except Timeout:
            return False
        except OSError as error:
            raise PermanentError(
                f"The data folder cannot be written: {error.strerror or error} ({error.filename or self.folder}). "
                "Nothing was run. Make room, correct its permissions, or set VP_DATA_DIR."
            ) from None
        try:
            self._write(holder)
        except BaseException:
            self._lock.release()
            raise
        return True

    def renew(self, holder: Holder) -> bool:
        self._write(holder)
        return True

    def release(self, holder: Holder) -> None:
        self._record.unlink(missing_ok=True)
        self._lock.release()

    def current(self) -> Holder | None:
        content = read_bytes(self._record)
        found = None if content is None else Holder.from_json(content.decode(errors="replace"))
        return found if found and found.process.is_alive is not False else None

    @cached_property
    def _lock(self) -> FileLock:
        return FileLock(self.folder / "lease.lock", thread_local=False)

    @property
    def _record(self) -> Path:
        return self.folder / LEASE

    def _write(self, holder: Holder) -> None:
        write_whole(self._record, holder.as_json().encode())
