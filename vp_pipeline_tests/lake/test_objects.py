"""The lake on every store: whole objects or none. A new store passes these tests by being one of `STORES`."""

import io
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from vp_pipeline.airbyte.local import LocalAirbyte
from vp_pipeline.failures import DamagedDataError, PermanentError
from vp_pipeline.lake import bronze, silver
from vp_pipeline.lake.folder import FolderStore
from vp_pipeline.lake.manifests import verified
from vp_pipeline.lake.objects import Lake, Store
from vp_pipeline.settings import load_settings
from vp_pipeline.sources.keepa.source import KEEPA, PRODUCT


class MemoryStore:
    """A third store, for these tests alone: all that a new one has to implement."""

    def __init__(self) -> None:
        self._objects: dict[str, tuple[bytes, float]] = {}

    @contextmanager
    def writing(self, path: str) -> Iterator[BinaryIO]:
        with io.BytesIO() as file:
            yield file
            self._objects[path] = (file.getvalue(), time.time())

    def read(self, path: str) -> bytes | None:
        return self._objects[path][0] if path in self._objects else None

    def read_tagged(self, path: str) -> tuple[bytes, str] | None:
        content = self.read(path)
        return None if content is None else (content, str(self._objects[path][1]))

    def write_if(self, path: str, content: bytes, tag: str | None) -> str | None:
        found = self.read_tagged(path)
        if (found[1] if found else None) != tag:
            return None
        self._objects[path] = (content, time.time_ns() / 1e9)
        return str(self._objects[path][1])

    def size(self, path: str) -> int | None:
        return len(self._objects[path][0]) if path in self._objects else None

    def delete(self, path: str) -> None:
        self._objects.pop(path, None)

    def list(self, folder: str, prefix: str) -> Iterator[tuple[str, int, float]]:
        below = f"{folder}/{prefix}" if folder else prefix
        return ((path, len(c), at) for path, (c, at) in self._objects.items() if path.startswith(below))

    def location(self, path: str) -> str:
        return f"memory://{path}"


STORES: dict[str, Callable[[pytest.FixtureRequest], Store]] = {
    "folder": lambda request: FolderStore(request.getfixturevalue("tmp_path") / "lake"),
    "s3": lambda request: request.getfixturevalue("s3").new_lake(),
    "memory": lambda request: MemoryStore(),
}


@pytest.fixture(params=["folder", "memory", pytest.param("s3", marks=pytest.mark.integration)])
def lake(request: pytest.FixtureRequest) -> Lake:
    """A lake on each store: what follows holds for all of them."""
    return Lake(STORES[request.param](request))


def test_an_object_is_replaced_only_by_who_has_read_it(lake: Lake) -> None:
    assert lake.find_tagged("a/b") is None
    assert lake.write_if("a/b", b"old", "a-tag") is None
    first = lake.write_if("a/b", b"one", None)
    assert first is not None
    assert lake.write_if("a/b", b"two", None) is None
    assert lake.find_tagged("a/b") == (b"one", first)
    second = lake.write_if("a/b", b"two", first)
    assert second not in (None, first)
    assert lake.write_if("a/b", b"three", first) is None
    assert lake.read("a/b") == b"two"
    assert [info.path for info in lake.list("")] == ["a/b"]


def test_what_is_written_is_read_and_listed_in_order(lake: Lake) -> None:
    lake.write("b/2", b"two")
    lake.write("b/1", b"one")
    assert lake.read("b/1") == b"one"
    assert [(info.path, info.size) for info in lake.list("b")] == [("b/1", 3), ("b/2", 3)]
    assert lake.list("nothing/here") == []
    assert [info.path for info in lake.list("b", prefix="2")] == ["b/2"]
    assert [info.path for info in lake.list("")] == ["b/1", "b/2"]
    assert all(abs(info.modified - time.time()) < 60 for info in lake.list("b"))
    assert lake.size("b/1") == 3
    lake.delete("b/1")
    lake.delete("b/1")
    assert not lake.exists("b/1")
    assert lake.exists("b/2")
    assert not lake.exists("b")


def test_an_object_is_replaced(lake: Lake) -> None:
    lake.write("a", b"one")
    lake.write("a", b"another")
    assert lake.read("a") == b"another"


def test_a_folder_is_not_one_that_begins_alike(lake: Lake) -> None:
    lake.write("bronze/a", b"")
    lake.write("bronze2/a", b"")
    assert [info.path for info in lake.list("bronze")] == ["bronze/a"]


def stop_in_the_middle(lake: Lake, path: str) -> None:
    with lake.writing(path) as file:
        file.write(b"half")
        raise ValueError("stop")


def test_an_error_while_writing_leaves_what_was_there(lake: Lake) -> None:
    lake.write("a", b"before")
    with pytest.raises(ValueError, match="stop"):
        stop_in_the_middle(lake, "a")
    assert lake.read("a") == b"before"
    assert [info.path for info in lake.list("")] == ["a"]


def test_a_reader_never_sees_half_an_object(lake: Lake) -> None:
    versions = {bytes([n]) * 1_000_000 for n in range(8)}
    lake.write("a", bytes([0]) * 1_000_000)
    done = threading.Event()

    def write() -> None:
        for version in sorted(versions) * 3:
            lake.write("a", version)
        done.set()

    thread = threading.Thread(target=write)
    thread.start()
    while not done.is_set():
        assert lake.read("a") in versions
    thread.join()


def test_a_missing_object_is_named(lake: Lake) -> None:
    with pytest.raises(DamagedDataError, match="bronze/x is not on the lake"):
        lake.read("bronze/x")
    with pytest.raises(DamagedDataError, match="bronze/x is not on the lake"):
        lake.size("bronze/x")
    assert lake.find("bronze/x") is None


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/etc/x"])
def test_a_path_out_of_the_lake_is_refused(lake: Lake, path: str) -> None:
    with pytest.raises(PermanentError, match="leads out of the lake"):
        lake.write(path, b"")


@pytest.mark.filterwarnings("ignore:This class is experimental")  # of Airbyte's runtime, for authors of connectors
def test_a_day_is_synced_landed_and_decoded(lake: Lake, tmp_path: Path) -> None:
    day = date(2026, 3, 1)
    settings = load_settings({}, data_dir=tmp_path, keepa_asins="1:B0SBXUSA01,2:B0SBXGBR08")
    record = LocalAirbyte(settings, lake).sync(KEEPA, PRODUCT, day).record
    manifest = bronze.land(lake, PRODUCT, day)
    assert manifest.sync == record
    assert manifest.records == 2
    decoded = PRODUCT.decode(bronze.lines_of(lake, manifest))
    for table in PRODUCT.tables:
        silver.write(lake, decoded[table.name], day, bronze=manifest.digest, decoder="d")
    for table in PRODUCT.tables:
        ((_, content),) = verified(lake, silver.read_manifest(lake, table, day).objects, "")
        assert pq.read_table(pa.BufferReader(content)).equals(decoded[table.name].rows)
    assert LocalAirbyte(settings, lake).sync(KEEPA, PRODUCT, day).reused
