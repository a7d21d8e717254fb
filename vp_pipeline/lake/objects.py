"""The lake: objects that are written whole or not at all, in a folder, in a bucket, or in any other `Store`.

Here: the interface that every layer uses (`Lake`), and the one that a store implements (`Store`). Not here: the stores
(`folder.py`, `s3.py`), and what is in the objects (`bronze.py` and `silver.py` define the layouts).
"""

import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol

from vp_pipeline.failures import DamagedDataError, PermanentError
from vp_pipeline.lake.folder import FolderStore


@dataclass(frozen=True)
class ObjectInfo:
    """An object as listed: its path in the lake, its size in bytes, and when it was written (unix seconds)."""

    path: str
    size: int
    modified: float


class Store(Protocol):
    """What a store of objects implements; the methods of `Lake` with the same names define the behaviour.

    Paths have been checked. Failures are raised as the errors of `Lake`; an object that is not there is None.
    """

    def writing(self, path: str) -> AbstractContextManager[BinaryIO]: ...
    def read(self, path: str) -> bytes | None: ...
    def size(self, path: str) -> int | None: ...
    def delete(self, path: str) -> None: ...
    def read_tagged(self, path: str) -> tuple[bytes, str] | None: ...
    def write_if(self, path: str, content: bytes, tag: str | None) -> str | None: ...
    def list(self, folder: str, prefix: str) -> Iterator[tuple[str, int, float]]:
        """(path, size, modified) of each finished object below `folder` (empty: the root), in any order."""
        ...

    def location(self, path: str) -> str: ...


class Lake:
    """A lake in a folder or in another store. Paths are relative, with forward slashes: `bronze/…/x.jsonl.gz`."""

    def __init__(self, where: Path | Store) -> None:
        self.store: Store = FolderStore(where) if isinstance(where, Path) else where

    def writing(self, path: str) -> AbstractContextManager[BinaryIO]:
        """A binary file that appears at `path`, whole, when the block ends; after an error nothing appears.

        An existing object is replaced in one step.

        Raises:
            PermanentError: the lake cannot be written (no space, no permission).
            TransientError: the lake does not respond.
        """
        return self.store.writing(self._checked(path))

    def write(self, path: str, content: bytes) -> None:
        """`content` at `path`, in one step. Raises as `writing`."""
        with self.writing(path) as file:
            file.write(content)

    def read(self, path: str) -> bytes:
        """The whole object.

        Raises:
            DamagedDataError: there is no such object.
            PermanentError, TransientError: the lake rejects the request, or does not respond.
        """
        content = self.find(path)
        if content is None:
            raise DamagedDataError(f"The object {path} is not on the lake ({self.location('')}).")
        return content

    def find(self, path: str) -> bytes | None:
        """The whole object, or None where there is none."""
        return self.store.read(self._checked(path))

    def find_tagged(self, path: str) -> tuple[bytes, str] | None:
        """The whole object and a tag that changes whenever it is written, or None where there is none."""
        return self.store.read_tagged(self._checked(path))

    def write_if(self, path: str, content: bytes, tag: str | None) -> str | None:
        """`content` at `path`, in one step, if the object is still the one with this tag; `tag` None: if there is none.
        The new tag; None: it was written by someone else, and is as that process left it. Raises as `writing`."""
        return self.store.write_if(self._checked(path), content, tag)

    def exists(self, path: str) -> bool:
        return self.store.size(self._checked(path)) is not None

    def size(self, path: str) -> int:
        """Bytes of an object.

        Raises:
            DamagedDataError: there is no such object.
        """
        size = self.store.size(self._checked(path))
        if size is None:
            raise DamagedDataError(f"The object {path} is not on the lake ({self.location('')}).")
        return size

    def delete(self, path: str) -> None:
        """Removes an object; a missing one is not an error."""
        self.store.delete(self._checked(path))

    def list(self, folder: str, prefix: str = "") -> list[ObjectInfo]:
        """Every finished object below `folder`, in order of path; an absent folder is an empty one.

        `prefix`: only those whose path below `folder` begins with it.
        """
        found = self.store.list(self._checked(folder).rstrip("/"), prefix)
        return sorted((ObjectInfo(*item) for item in found), key=lambda info: info.path)

    def location(self, path: str) -> str:
        """Where an object is, for people and for programs that read it by name: a file's path, or an `s3://` URL."""
        return self.store.location(self._checked(path))

    def _checked(self, path: str) -> str:
        if ".." in PurePosixPath(path).parts or path.startswith("/"):
            raise PermanentError(f"{path} leads out of the lake ({self.store.location('')}).")
        return path


def checksum(content: bytes) -> str:
    """SHA-256 of an object's bytes, as hexadecimal."""
    return hashlib.sha256(content).hexdigest()
