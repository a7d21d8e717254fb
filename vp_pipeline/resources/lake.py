"""The lake: a folder of objects that are written whole or not at all.

Here: where objects live and how they are read, written and listed. Not here: what is in them (`bronze.py`,
`silver.py` beside this file know the layouts).
"""

import hashlib
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from vp_pipeline.failures import DamagedDataError, PermanentError


@dataclass(frozen=True)
class ObjectInfo:
    """An object as listed: its path in the lake, its size in bytes, and when it was written (unix seconds)."""

    path: str
    size: int
    modified: float


@dataclass(frozen=True)
class Lake:
    """A lake in a folder. Paths are relative, with forward slashes: `bronze/keepa/product/x.jsonl.gz`."""

    root: Path

    @contextmanager
    def writing(self, path: str) -> Iterator[BinaryIO]:
        """A binary file that appears at `path`, whole, when the block ends; after an error nothing appears.

        An object that is there already is replaced in one step.

        Raises:
            PermanentError: the lake cannot be written (no space, no permission).
        """
        target = self.local_path(path)
        partial = target.with_name(f".{target.name}.{uuid.uuid4().hex}.partial")
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

    def write(self, path: str, content: bytes) -> None:
        """`content` at `path`, in one step. Raises as `writing`."""
        with self.writing(path) as file:
            file.write(content)

    def read(self, path: str) -> bytes:
        """The whole object.

        Raises:
            DamagedDataError: there is no such object.
        """
        try:
            return self.local_path(path).read_bytes()
        except FileNotFoundError:
            raise DamagedDataError(f"The object {path} is not on the lake ({self.root}).") from None

    def exists(self, path: str) -> bool:
        return self.local_path(path).is_file()

    def delete(self, path: str) -> None:
        """Removes an object; one that is not there is no error."""
        self.local_path(path).unlink(missing_ok=True)

    def list(self, folder: str) -> list[ObjectInfo]:
        """Every finished object below `folder`, in order of path; an absent folder is an empty one."""
        base = self.local_path(folder)
        found = []
        for file in base.rglob("*"):
            if file.is_file() and not file.name.startswith("."):
                stat = file.stat()
                found.append(ObjectInfo(file.relative_to(self.root).as_posix(), stat.st_size, stat.st_mtime))
        return sorted(found, key=lambda info: info.path)

    def local_path(self, path: str) -> Path:
        """Where an object is on this machine, for programs that read files by name.

        Raises:
            PermanentError: the path leads out of the lake.
        """
        resolved = (self.root / path).resolve()
        if not resolved.is_relative_to(self.root.resolve()):
            raise PermanentError(f"{path} leads out of the lake ({self.root}).")
        return resolved


def _discard(partial: Path) -> None:
    with suppress(OSError):  # where it could not be made, there is nothing to remove
        partial.unlink()


def checksum(content: bytes) -> str:
    """SHA-256 of an object's bytes, as hexadecimal."""
    return hashlib.sha256(content).hexdigest()
