"""A lake's objects as files in a folder.

Here: whole files or none, by writing a temporary file and renaming it. Not here: what a lake promises (`objects.py`).
"""

import fcntl
import hashlib
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from vp_pipeline.documents import PARTIAL, read_bytes
from vp_pipeline.failures import PermanentError, file_failure


@dataclass(frozen=True)
class FolderStore:
    """The objects below `root`."""

    root: Path

    @contextmanager
    def writing(self, path: str) -> Iterator[BinaryIO]:
        target = self._file(path)
        partial = target.with_name(f".{target.name}.{uuid.uuid4().hex}{PARTIAL}")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with partial.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            partial.replace(target)
        except OSError as error:
            _discard(partial)
            raise PermanentError(
                f"The lake cannot be written: {error.strerror or error} ({target}). Nothing was left half-written. "
                f"Free some space or make the folder writable (VP_DATA_DIR), then run the same day again."
            ) from error
        except BaseException:
            _discard(partial)
            raise

    def read(self, path: str) -> bytes | None:
        return read_bytes(self._file(path))

    def read_tagged(self, path: str) -> tuple[bytes, str] | None:
        content = self.read(path)
        return None if content is None else (content, _tag(content))

    def write_if(self, path: str, content: bytes, tag: str | None) -> str | None:
        folder = self._file(path).parent
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder):
            found = self.read_tagged(path)
            if (found[1] if found else None) != tag:
                return None
            with self.writing(path) as file:
                file.write(content)
            return _tag(content)

    def size(self, path: str) -> int | None:
        file = self._file(path)
        return file.stat().st_size if file.is_file() else None

    def delete(self, path: str) -> None:
        try:
            self._file(path).unlink(missing_ok=True)
        except OSError as error:
            raise file_failure(error) or error from None

    def list(self, folder: str, prefix: str) -> Iterator[tuple[str, int, float]]:
        base = self._file(folder)
        if base.is_file():
            raise PermanentError(f"{base} is a file where a folder belongs. Move it away, then run the same again.")
        for file in base.rglob("*"):
            # A folder that has the name of a file is listed like one: reading it reports what it is.
            if (file.is_file() or file.suffix) and not file.name.startswith("."):
                if not file.relative_to(base).as_posix().startswith(prefix):
                    continue
                stat = file.stat()
                yield file.relative_to(self.root.resolve()).as_posix(), stat.st_size, stat.st_mtime

    def location(self, path: str) -> str:
        return str(self._file(path))

    def _file(self, path: str) -> Path:
        resolved = (self.root / path).resolve()
        if not resolved.is_relative_to(self.root.resolve()):
            raise PermanentError(f"{path} leads out of the lake ({self.root}).")
        return resolved


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Excludes other processes and threads; the lock is on the folder itself and leaves no file in it."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        os.close(opened)


def _tag(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _discard(partial: Path) -> None:
    with suppress(OSError):  # where it could not be created, there is nothing to remove
        partial.unlink()
