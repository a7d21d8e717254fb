"""A lake in a folder: links, full disks and permissions. For every store see `test_objects.py`."""

import os
from pathlib import Path

import pytest

from vp_pipeline.failures import PermanentError
from vp_pipeline.lake.objects import Lake


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "lake"


def test_a_link_out_of_the_folder_is_refused(root: Path, tmp_path: Path) -> None:
    root.mkdir()
    (root / "out").symlink_to(tmp_path)
    with pytest.raises(PermanentError, match="leads out of the lake"):
        Lake(root).write("out/x", b"")


def fill_the_disk(lake: Lake, path: str) -> None:
    """/dev/full is a disk without space."""
    with lake.writing(path), Path("/dev/full").open("wb", buffering=0) as full:
        full.write(b"x")


def test_a_full_disk_is_reported_clearly_and_leaves_nothing(root: Path) -> None:
    lake = Lake(root)
    lake.write("a", b"before")
    with pytest.raises(PermanentError, match=r"cannot be written: No space left on device.*VP_DATA_DIR"):
        fill_the_disk(lake, "a")
    assert lake.read("a") == b"before"
    assert [p.name for p in root.iterdir()] == ["a"]


def test_a_lake_that_is_a_file_is_reported_clearly(tmp_path: Path) -> None:
    (tmp_path / "lake").write_text("not a folder")
    with pytest.raises(PermanentError, match="The lake cannot be written"):
        Lake(tmp_path / "lake").write("a/b", b"")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_reported_clearly(root: Path) -> None:
    root.mkdir()
    root.chmod(0o500)
    with pytest.raises(PermanentError, match="Permission denied"):
        Lake(root).write("a", b"")
