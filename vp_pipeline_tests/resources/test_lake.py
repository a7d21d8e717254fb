"""The lake: whole objects or none."""

import os
import threading
from pathlib import Path

import pytest

from vp_pipeline.failures import DamagedDataError, PermanentError
from vp_pipeline.resources.lake import Lake


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def test_what_is_written_is_read_and_listed_in_order(lake: Lake) -> None:
    lake.write("b/2", b"two")
    lake.write("b/1", b"one")
    assert lake.read("b/1") == b"one"
    assert [(info.path, info.size) for info in lake.list("b")] == [("b/1", 3), ("b/2", 3)]
    assert lake.list("nothing/here") == []


def stop_in_the_middle(lake: Lake, path: str) -> None:
    with lake.writing(path) as file:
        file.write(b"half")
        raise ValueError("stop")


def test_an_error_while_writing_leaves_what_was_there(lake: Lake) -> None:
    lake.write("a", b"before")
    with pytest.raises(ValueError, match="stop"):
        stop_in_the_middle(lake, "a")
    assert lake.read("a") == b"before"
    assert [p.name for p in lake.root.iterdir()] == ["a"]


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


def test_a_path_out_of_the_lake_is_refused(lake: Lake) -> None:
    with pytest.raises(PermanentError, match="leads out of the lake"):
        lake.write("../x", b"")


def fill_the_disk(lake: Lake, path: str) -> None:
    """/dev/full is a disk without space."""
    with lake.writing(path), Path("/dev/full").open("wb", buffering=0) as full:
        full.write(b"x")


def test_a_full_disk_is_told_clearly_and_leaves_nothing(lake: Lake) -> None:
    lake.write("a", b"before")
    with pytest.raises(PermanentError, match=r"cannot be written: No space left on device.*VP_DATA_DIR"):
        fill_the_disk(lake, "a")
    assert lake.read("a") == b"before"
    assert [p.name for p in lake.root.iterdir()] == ["a"]


def test_a_lake_that_is_a_file_is_told_clearly(tmp_path: Path) -> None:
    (tmp_path / "lake").write_text("not a folder")
    with pytest.raises(PermanentError, match="The lake cannot be written"):
        Lake(tmp_path / "lake").write("a/b", b"")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_told_clearly(lake: Lake) -> None:
    lake.root.mkdir()
    lake.root.chmod(0o500)
    with pytest.raises(PermanentError, match="Permission denied"):
        lake.write("a", b"")
