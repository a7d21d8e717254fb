"""Where the lines of a box are kept, on one machine: a file, and locks beside it.

Here: the interface of every such place (`Journal`), and the file. Not here: what a line means (`outbox.py`), and the
place that several machines share (`lake_journal.py`).
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout

from vp_pipeline import documents
from vp_pipeline.failures import TransientError, file_failure


class Journal(Protocol):
    """The content of a box: whole lines. Several processes change it."""

    @property
    def name(self) -> str:
        """Its name among the boxes, such as `slack.jsonl`."""
        ...

    @property
    def location(self) -> str:
        """Where it is, for people."""
        ...

    def read(self) -> bytes:
        """The content; empty where there is none."""
        ...

    def update(self, change: Callable[[bytes], bytes]) -> bytes:
        """Replaces the content by what `change` makes of it, and returns that; it is kept when this returns. `change`
        sees what every other process has written, and may be called more than once."""
        ...

    def set_aside(self, lines: bytes, why: str) -> None:
        """Keeps lines that cannot be used beside the content, and warns of them."""
        ...

    def claimed(self) -> AbstractContextManager[None]:
        """The right to deliver, of one process at a time; that of a process which was killed becomes free.

        Raises:
            TransientError: another process has it.
        """
        ...


def occupied(location: str, by: str = "Another process") -> TransientError:
    """What `claimed` raises."""
    return TransientError(f"{by} is delivering from {location}. It will deliver what is there.")


@dataclass(frozen=True)
class FileJournal:
    """A file; see `Journal`. The kernel takes a lock from a process the moment it dies."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def location(self) -> str:
        return str(self.path)

    def read(self) -> bytes:
        return documents.read_bytes(self.path) or b""

    def update(self, change: Callable[[bytes], bytes]) -> bytes:
        with self._locked("lock"):
            before = self.read()
            after = change(before)
            if len(after) > len(before) and after.startswith(before):
                documents.append(self.path, after[len(before) :])
            elif after != before:
                documents.write_whole(self.path, after)
            return after

    def set_aside(self, lines: bytes, why: str) -> None:
        documents.set_aside(self.path, lines, why)

    @contextmanager
    def claimed(self) -> Iterator[None]:
        with self._locked("delivering.lock", seconds=0):
            yield

    @contextmanager
    def _locked(self, name: str, seconds: float = -1) -> Iterator[None]:
        lock = FileLock(f"{self.path}.{name}", timeout=seconds)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except Timeout:
            raise occupied(self.location) from None
        except OSError as error:
            raise file_failure(error) or error from None
        try:
            yield
        finally:
            lock.release()
