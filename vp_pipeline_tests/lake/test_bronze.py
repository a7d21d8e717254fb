"""Bronze: a partition is a manifest, and only of whole objects."""

import gzip
from datetime import date
from pathlib import Path

import pytest

from vp_pipeline.failures import DamagedDataError, PermanentError
from vp_pipeline.lake import bronze
from vp_pipeline.lake.manifests import SyncRecord
from vp_pipeline.lake.objects import Lake
from vp_pipeline.sources.keepa.source import PRODUCT
from vp_pipeline_tests.lake.syncs import record_sync

DAY = date(2026, 3, 1)
FOLDER = "bronze/keepa/product"


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


def sync(lake: Lake, *objects: bytes, job_id: int = 1, records: int | None = None) -> SyncRecord:
    """Lands objects and records their sync, as the Airbyte asset does."""
    paths = tuple(f"{FOLDER}/2026_03_02_{job_id}_{part}.jsonl.gz" for part in range(len(objects)))
    for path, content in zip(paths, objects, strict=True):
        lake.write(path, content)
    if records is None:
        records = sum(gzip.decompress(o).count(b"\n") for o in objects)
    return record_sync(lake, DAY, paths, job_id=job_id, records=records)


def test_a_partition_lists_whole_objects_and_reads_them_back(lake: Lake) -> None:
    sync(lake, gzip.compress(b"1\n2\n"), gzip.compress(b"3\n"))
    manifest = bronze.land(lake, PRODUCT, DAY)
    assert bronze.read_manifest(lake, PRODUCT, DAY) == manifest
    assert [(o.records, len(o.sha256)) for o in manifest.objects] == [(2, 64), (1, 64)]
    lines = list(bronze.lines_of(lake, manifest))
    assert [(line.object[-10:], line.line, line.text) for line in lines] == [
        ("0.jsonl.gz", 1, b"1"),
        ("0.jsonl.gz", 2, b"2"),
        ("1.jsonl.gz", 1, b"3"),
    ]


def test_landing_again_changes_nothing(lake: Lake) -> None:
    sync(lake, gzip.compress(b"1\n"))
    bronze.land(lake, PRODUCT, DAY)
    before = {info.path: lake.read(info.path) for info in lake.list("")}
    bronze.land(lake, PRODUCT, DAY)
    assert {info.path: lake.read(info.path) for info in lake.list("")} == before


def test_a_later_sync_supersedes_and_the_older_manifest_is_kept(lake: Lake) -> None:
    sync(lake, gzip.compress(b"1\n"), job_id=1)
    older = bronze.land(lake, PRODUCT, DAY)
    sync(lake, gzip.compress(b"2\n"), job_id=2)
    newer = bronze.land(lake, PRODUCT, DAY)
    assert [line.text for line in bronze.lines_of(lake, newer)] == [b"2"]
    kept = lake.read(f"{FOLDER}/_manifests/superseded/run_date={DAY}_job=1.json")
    assert kept == older.to_bytes()


def test_without_a_finished_sync_there_is_nothing_to_land(lake: Lake) -> None:
    lake.write(f"{FOLDER}/2026_03_02_1_0.jsonl.gz", gzip.compress(b"1\n"))  # left by a sync that did not finish
    with pytest.raises(PermanentError, match=r"No sync of keepa/product for 2026-03-01 has finished.*Materialize"):
        bronze.land(lake, PRODUCT, DAY)
    assert bronze.read_manifest(lake, PRODUCT, DAY) is None


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda content: content[:-4], "truncated or damaged"),
        (lambda content: content[: len(content) // 2], "truncated or damaged"),
        (lambda content: b"", "hold 0"),
        (lambda content: gzip.compress(b'{"half'), "middle of a record"),
        (lambda content: b"not gzip", "truncated or damaged"),
        (lambda content: gzip.compress(b"1\n"), "reported 2 records"),
    ],
)
def test_a_damaged_object_makes_no_partition(lake: Lake, damage, message: str) -> None:  # type: ignore[no-untyped-def]
    record = sync(lake, gzip.compress(b"1\n2\n"))
    lake.write(record.objects[0], damage(gzip.compress(b"1\n2\n")))
    with pytest.raises(DamagedDataError, match=rf"(?s){message}.*--resync"):
        bronze.land(lake, PRODUCT, DAY)
    assert bronze.read_manifest(lake, PRODUCT, DAY) is None


@pytest.mark.parametrize("how", ["gone", "shorter", "other content"])
def test_an_object_that_changed_after_landing_is_not_read(lake: Lake, how: str) -> None:
    record = sync(lake, gzip.compress(b"1\n"))
    manifest = bronze.land(lake, PRODUCT, DAY)
    (path,) = record.objects
    if how == "gone":
        lake.delete(path)
    else:
        content = bytearray(lake.read(path))
        content[-1] ^= 1
        lake.write(path, bytes(content[:-1] if how == "shorter" else content))
    with pytest.raises(DamagedDataError, match=rf"{path}.*--resync"):
        list(bronze.lines_of(lake, manifest))
    with pytest.raises(DamagedDataError, match=path):
        bronze.land(lake, PRODUCT, DAY)  # and landing again does not make it good
    assert bronze.read_manifest(lake, PRODUCT, DAY) == manifest
