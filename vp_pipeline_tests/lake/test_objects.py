"""The lake: whole objects or none, in a folder and in a bucket alike."""

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from werkzeug.wrappers import Request, Response

from vp_pipeline.failures import DamagedDataError, PermanentError, TransientError
from vp_pipeline.lake import s3 as s3_module
from vp_pipeline.lake.objects import Lake
from vp_pipeline.lake.s3 import S3Store
from vp_pipeline_tests.stand_ins.s3 import S3StandIn, refusal, s3_stand_in, times


@pytest.fixture(scope="module")
def s3() -> Iterator[S3StandIn]:
    with s3_stand_in() as server:
        yield server


@pytest.fixture(autouse=True)
def _no_faults(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "s3" in request.fixturenames:
        request.getfixturevalue("s3").faults.clear()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "lake"


@pytest.fixture(params=["folder", "bucket"])
def lake(request: pytest.FixtureRequest, root: Path) -> Lake:
    """A lake of each kind: what follows holds for both."""
    return Lake(root) if request.param == "folder" else Lake(request.getfixturevalue("s3").new_lake())


@pytest.fixture
def bucket(s3: S3StandIn) -> S3Store:
    return s3.new_lake()


def test_what_is_written_is_read_and_listed_in_order(lake: Lake) -> None:
    lake.write("b/2", b"two")
    lake.write("b/1", b"one")
    assert lake.read("b/1") == b"one"
    assert [(info.path, info.size) for info in lake.list("b")] == [("b/1", 3), ("b/2", 3)]
    assert lake.list("nothing/here") == []
    assert [info.path for info in lake.list("b", begins="2")] == ["b/2"]
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


def test_a_link_out_of_the_folder_is_refused(root: Path, tmp_path: Path) -> None:
    root.mkdir()
    (root / "out").symlink_to(tmp_path)
    with pytest.raises(PermanentError, match="leads out of the lake"):
        Lake(root).write("out/x", b"")


def fill_the_disk(lake: Lake, path: str) -> None:
    """/dev/full is a disk without space."""
    with lake.writing(path), Path("/dev/full").open("wb", buffering=0) as full:
        full.write(b"x")


def test_a_full_disk_is_told_clearly_and_leaves_nothing(root: Path) -> None:
    lake = Lake(root)
    lake.write("a", b"before")
    with pytest.raises(PermanentError, match=r"cannot be written: No space left on device.*VP_DATA_DIR"):
        fill_the_disk(lake, "a")
    assert lake.read("a") == b"before"
    assert [p.name for p in root.iterdir()] == ["a"]


def test_a_lake_that_is_a_file_is_told_clearly(tmp_path: Path) -> None:
    (tmp_path / "lake").write_text("not a folder")
    with pytest.raises(PermanentError, match="The lake cannot be written"):
        Lake(tmp_path / "lake").write("a/b", b"")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_told_clearly(root: Path) -> None:
    root.mkdir()
    root.chmod(0o500)
    with pytest.raises(PermanentError, match="Permission denied"):
        Lake(root).write("a", b"")


def test_a_listing_of_more_than_a_page_is_whole(s3: S3StandIn, bucket: S3Store) -> None:
    client, name = s3.client(), bucket.url.split("/")[2]
    for n in range(1_003):
        client.put_object(Bucket=name, Key=f"lake/bronze/{n:04}", Body=b"")
    s3.requests.clear()
    assert [info.path for info in Lake(bucket).list("bronze")] == [f"bronze/{n:04}" for n in range(1_003)]
    assert len([1 for line in s3.requests if "continuation-token" in parse_qs(line.partition("?")[2])]) == 1


@pytest.mark.parametrize(("sse", "key"), [("AES256", None), ("aws:kms", None), ("aws:kms", "alias/lake")])
def test_what_is_written_is_encrypted_as_asked(s3: S3StandIn, sse: str, key: str | None) -> None:
    store = s3.new_lake(sse=sse, kms_key=key)
    Lake(store).write("a", b"x")
    head = s3.client().head_object(Bucket=store.url.split("/")[2], Key="lake/a")
    assert head["ServerSideEncryption"] == sse
    assert head.get("SSEKMSKeyId") == key


def test_a_busy_bucket_is_asked_again(s3: S3StandIn, bucket: S3Store) -> None:
    lake = Lake(bucket)
    lake.write("a", b"x")
    s3.faults.append(times(2, lambda request: refusal(503, "SlowDown")))
    assert lake.read("a") == b"x"


def test_a_bucket_that_stays_busy_is_worth_another_run(
    s3: S3StandIn, bucket: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_module, "_ATTEMPTS", 2)
    s3.faults.append(lambda request: refusal(503, "SlowDown"))
    with pytest.raises(TransientError, match=r"s3://.*/lake/a cannot be written: S3 answers SlowDown \(503\).*tried 2"):
        Lake(bucket).write("a", b"x")
    s3.faults.clear()
    assert not Lake(bucket).exists("a")


def test_a_bucket_that_is_too_slow_is_worth_another_run(s3: S3StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_module, "_ATTEMPTS", 1)
    released = threading.Event()

    def slow(request: Request) -> Response | None:
        released.wait(10)
        return None

    s3.faults.append(slow)
    store = S3Store("s3://a-bucket/lake", endpoint=s3.url, read_seconds=0.2)
    with pytest.raises(TransientError, match="does not answer \\(ReadTimeoutError\\)"):
        Lake(store).read("a")
    released.set()


@pytest.mark.parametrize(
    ("status", "code", "says"),
    [
        (403, "AccessDenied", r"AccessDenied \(403\)\. Give the role of the pipeline its policy"),
        (400, "ExpiredToken", r"ExpiredToken \(400\)\. Sign in to AWS again"),
        (404, "NoSuchBucket", r"NoSuchBucket \(404\)\. Make the bucket"),
    ],
)
def test_what_trying_again_cannot_mend_is_told_at_once(
    s3: S3StandIn, bucket: S3Store, status: int, code: str, says: str
) -> None:
    s3.faults.append(lambda request: refusal(status, code))
    s3.requests.clear()
    with pytest.raises(PermanentError, match=says):
        Lake(bucket).read("a")
    assert len(s3.requests) == 1


def test_without_keys_the_chain_is_named(s3: S3StandIn, bucket: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    with pytest.raises(PermanentError, match="Set AWS_PROFILE"):
        Lake(bucket).read("a")
