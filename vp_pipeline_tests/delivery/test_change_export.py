"""Exports: what changed, in files and over HTTP, once."""

import itertools
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from vp_pipeline.automation.retention import removable_objects
from vp_pipeline.delivery import change_export
from vp_pipeline.delivery.export_endpoint import ExportEndpoint, batches, post_exports
from vp_pipeline.delivery.outbox import Box
from vp_pipeline.failures import DamagedDataError, PermanentError, TransientError
from vp_pipeline.lake import layout
from vp_pipeline.lake.manifests import ManifestObject
from vp_pipeline.lake.objects import Lake, checksum
from vp_pipeline.sandbox.services.server import Services
from vp_pipeline.sandbox.services.service import Fault
from vp_pipeline_tests.publishing.marts import publish_mart

KEY = ("product_key", "series")
NUMBERS = itertools.count(1)


def mart(**prices: str | None) -> pa.Table:
    rows = [
        {"series": "NEW", "price": None if p is None else Decimal(p), "day": date(2026, 3, 1), "product_key": k}
        for k, p in prices.items()
    ]
    schema = pa.schema(
        [("series", pa.string()), ("price", pa.decimal128(9, 2)), ("day", pa.date32()), ("product_key", pa.string())]
    )
    return pa.Table.from_pylist(rows, schema)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def write(lake: Lake, table: pa.Table) -> list[tuple[object, ...]] | None:
    """Publishes the mart and exports it."""
    publisher = publish_mart(Path(lake.location("")).parent, next(NUMBERS), "mart_deals", table, KEY)
    manifest = change_export.export(lake, "mart_deals", KEY, publisher.marts)
    if manifest is None:
        return None
    rows = change_export.changed_rows(lake, manifest).to_pylist()
    return [(row["product_key"], row["price"] and str(row["price"]), row["_operation"]) for row in rows]


def test_the_first_export_is_whole_and_the_next_has_the_changes(lake: Lake) -> None:
    assert write(lake, mart(b="2.00", a="1.00", c=None)) == [
        ("a", "1.00", "upsert"),
        ("b", "2.00", "upsert"),
        ("c", None, "upsert"),
    ]
    assert write(lake, mart(a="1.00", b="2.50", d="4.00")) == [
        ("b", "2.50", "upsert"),
        ("c", None, "delete"),
        ("d", "4.00", "upsert"),
    ]
    assert [(m.sequence, m.is_full, m.upserts, m.deletes) for m in change_export.manifests(lake, "mart_deals")] == [
        (1, True, 3, 0),
        (2, False, 2, 1),
    ]


def test_nothing_changed_is_no_export(lake: Lake) -> None:
    write(lake, mart(a="1.00", b="2.00"))
    assert write(lake, mart(b="2.00", a="1.00")) is None
    assert len(change_export.manifests(lake, "mart_deals")) == 1


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    contents = []
    for name in ("one", "two"):
        lake = Lake(tmp_path / name / "lake")
        tables = (mart(a="1.00", b="2.00"), mart(c="3.00", b="2.10"))
        for table in tables if name == "one" else [t.take([1, 0]) for t in tables]:
            write(lake, table)
        contents.append({info.path: lake.read(info.path) for info in lake.list("change_exports/mart_deals/changes")})
    assert contents[0] == contents[1]
    csv = contents[0]["change_exports/mart_deals/changes/000002/part-00000.csv"].decode()
    assert csv.splitlines() == [
        '"series","price","day","product_key","_operation"',
        ',,,"a","delete"'.replace(",,,", '"NEW",,,', 1),
        '"NEW",2.10,2026-03-01,"b","upsert"',
        '"NEW",3.00,2026-03-01,"c","upsert"',
    ]


def test_a_crash_before_the_manifest_leaves_no_export(lake: Lake) -> None:
    write(lake, mart(a="1.00"))
    before = {info.path for info in lake.list("change_exports")}
    write(lake, mart(a="1.10"))
    lake.delete(change_export.manifest_path("mart_deals", 2))  # as if it had not been written
    assert write(lake, mart(a="1.20")) == [("a", "1.20", "upsert")]
    assert len(change_export.manifests(lake, "mart_deals")) == 2
    assert len(before) == 3


def as_v0_1_0_left_it(lake: Lake) -> dict[str, bytes]:
    """Makes of the exports what v0.1.0 wrote, and where; what is there then."""
    for info in lake.list("change_exports"):
        content = lake.read(info.path).replace(b"change_exports/", b"gold/")
        if layout.EXPORT.parts(info.path):
            stored = json.loads(content)
            for field in ("version", "published_at", "why_full"):
                del stored[field]
            number = stored["sequence"]
            state = ManifestObject(path=f"gold/mart_deals/_state/{number:06d}.parquet", size=1, sha256="00", records=1)
            lake.write(state.path, b"x")
            content = (json.dumps({**stored, "state": state.model_dump()}, indent=2) + "\n").encode()
        lake.write(info.path.replace("change_exports/", "gold/"), content)
        lake.delete(info.path)
    return {info.path: lake.read(info.path) for info in lake.list("gold")}


def test_the_exports_of_v0_1_0_stay_and_the_next_is_whole_and_continues_them(
    services: Services, box: Box, lake: Lake
) -> None:
    write(lake, mart(a="1.00", b="2.00"))
    write(lake, mart(a="1.50", b="2.00"))
    post(services, box, lake)
    before = as_v0_1_0_left_it(lake)
    assert "gold/mart_deals/_posted.json" in before
    assert write(lake, mart(a="1.50", b="2.00")) == [("a", "1.50", "upsert"), ("b", "2.00", "upsert")]
    assert write(lake, mart(a="1.50", c="3.00")) == [("b", None, "delete"), ("c", "3.00", "upsert")]
    exports = change_export.manifests(lake, "mart_deals")
    assert [(each.sequence, each.is_full) for each in exports] == [(1, True), (2, False), (3, True), (4, False)]
    assert exports[2].previous == checksum(before["gold/mart_deals/_manifests/000002.json"])
    assert "of an earlier version" in str(exports[2].why_full)
    assert post(services, box, lake) == 2
    assert [export for export, _, _ in taken(services)] == [1, 2, 3, 4]
    assert [batch.get("is_full") for batch in services.export.batches] == [True, None, True, None]
    assert {info.path: lake.read(info.path) for info in lake.list("gold")} == before
    states = [item.name for item in removable_objects(lake, datetime.now(UTC) + timedelta(days=1))]
    assert states == [f"gold/mart_deals/_state/00000{n}.parquet" for n in (1, 2)]


def test_a_batch_of_an_export_of_v0_1_0_keeps_its_key(lake: Lake) -> None:
    write(lake, mart(a="1.00"))
    as_v0_1_0_left_it(lake)
    (manifest,) = change_export.manifests(lake, "mart_deals")
    (batch,) = batches(lake, manifest, 10)
    assert manifest.digest == checksum(lake.read("gold/mart_deals/_manifests/000001.json"))
    assert json.loads(batch.body) == {
        "mart": "mart_deals",
        "export": 1,
        "digest": manifest.digest,
        "batch": 1,
        "batches": 1,
        "key": [*KEY],
        "rows": [{"series": "NEW", "price": "1.00", "day": "2026-03-01", "product_key": "a", "_operation": "upsert"}],
    }


def test_the_state_of_the_last_export_of_v0_1_0_stays(lake: Lake) -> None:
    write(lake, mart(a="1.00"))
    write(lake, mart(a="2.00"))
    as_v0_1_0_left_it(lake)
    states = [item.name for item in removable_objects(lake, datetime.now(UTC) + timedelta(days=1))]
    assert states == ["gold/mart_deals/_state/000001.parquet"]


def test_a_damaged_record_is_named_with_a_remedy_that_works(lake: Lake) -> None:
    write(lake, mart(a="1.00"))
    write(lake, mart(a="1.00"))
    record = "change_exports/mart_deals/_exported.json"
    lake.write(record, b"damaged")
    with pytest.raises(DamagedDataError, match=r"_exported.json .* Move it away"):
        write(lake, mart(a="3.00"))
    lake.delete(record)
    assert write(lake, mart(a="3.00")) == [("a", "3.00", "upsert")]


def test_damaged_rows_are_named_with_a_remedy_that_works(services: Services, box: Box, lake: Lake) -> None:
    write(lake, mart(a="1.00"))
    as_v0_1_0_left_it(lake)
    write(lake, mart(a="2.00"))
    lake.write("change_exports/mart_deals/changes/000002/part-00000.parquet", b"damaged")
    with pytest.raises(DamagedDataError, match=r"remove the mart's folder in each of gold and change_exports"):
        post(services, box, lake)
    for root in layout.EXPORT_ROOTS:
        for info in lake.list(f"{root}/mart_deals"):
            lake.delete(info.path)
    assert write(lake, mart(a="3.00")) == [("a", "3.00", "upsert")]
    assert post(services, box, lake) == 1


def test_a_row_that_is_there_twice_is_refused(lake: Lake) -> None:
    table = pa.concat_tables([mart(a="1.00"), mart(a="2.00")])
    with pytest.raises(PermanentError, match=r"1 rows whose key \(product_key, series\) is not unique"):
        write(lake, table)
    publisher = publish_mart(Path(lake.location("")).parent, next(NUMBERS), "mart_deals", mart(a="1.00"), KEY)
    with pytest.raises(PermanentError, match="has no column asin"):
        change_export.export(lake, "mart_deals", ["asin"], publisher.marts)


@pytest.fixture
def services() -> Iterator[Services]:
    with Services() as services:
        yield services


def post(services: Services, box: Box, lake: Lake, rows: int = 2) -> int:
    endpoint = ExportEndpoint(f"{services.url}/export/rows", None, rows, timeout_seconds=1)
    return post_exports(endpoint, box, lake, "mart_deals", lambda _: None)


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path / "export.jsonl")


def taken(services: Services) -> list[tuple[int, int, list[str]]]:
    return [
        (b["export"], b["batch"], [f"{r['product_key']}{r['_operation'][0]}" for r in b["rows"]])
        for b in services.export.batches
    ]


def test_batches_are_posted_once_and_in_order(services: Services, box: Box, lake: Lake) -> None:
    write(lake, mart(a="1.00", b="2.00", c="3.00"))
    assert post(services, box, lake) == 2
    assert post(services, box, lake) == 0
    write(lake, mart(a="1.50", b="2.00"))
    write(lake, mart(a="1.00", b="2.00"))  # back to what it was: another change, not a repeat
    assert post(services, box, lake) == 2
    assert taken(services) == [(1, 1, ["au", "bu"]), (1, 2, ["cu"]), (2, 1, ["au", "cd"]), (3, 1, ["au"])]
    assert services.export.requests == 4
    assert [batch.get("is_full") for batch in services.export.batches] == [True, True, None, None]
    assert services.export.batches[0]["rows"][0]["price"] == "1.00"


@pytest.mark.parametrize(
    "fault",
    [Fault(429), Fault(500), Fault(500, acts=True), Fault(0), Fault(0, acts=True), Fault(seconds=1.2)],
)
def test_a_retry_sends_nothing_twice(services: Services, box: Box, lake: Lake, fault: Fault) -> None:
    write(lake, mart(a="1.00", b="2.00", c="3.00"))
    services.faults["export"].plan(fault)
    with pytest.raises(TransientError):
        post(services, box, lake)
    assert box.open_entries()
    post(services, box, lake)
    assert taken(services) == [(1, 1, ["au", "bu"]), (1, 2, ["cu"])]
    assert not box.open_entries()


def test_another_batch_size_waits_for_the_next_export(services: Services, box: Box, lake: Lake) -> None:
    write(lake, mart(a="1.00", b="2.00", c="3.00"))
    services.faults["export"].plan(Fault(seconds=0))
    services.faults["export"].plan(Fault(500))
    with pytest.raises(TransientError):
        post(services, box, lake, rows=2)
    post(services, box, lake, rows=1)
    assert taken(services) == [(1, 1, ["au", "bu"]), (1, 2, ["cu"])]


def test_a_refusal_stops_what_follows_and_is_tried_again(services: Services, box: Box, lake: Lake) -> None:
    write(lake, mart(a="1.00", b="2.00", c="3.00"))
    services.faults["export"].plan(Fault(403))
    with pytest.raises(PermanentError, match="refused batch 1 of export 1 with HTTP 403"):
        post(services, box, lake)
    assert services.export.batches == []
    assert post(services, box, lake) == 2


def test_what_was_delivered_is_not_posted_again_after_the_outbox_forgot_it(
    services: Services, box: Box, lake: Lake
) -> None:
    write(lake, mart(a="1.00"))
    post(services, box, lake)
    assert box.forget(datetime.now(UTC) + timedelta(days=1)) == 1
    assert post(services, box, lake) == 0
    assert services.export.requests == 1


def test_a_whole_export_of_no_row_is_posted_too(services: Services, box: Box, lake: Lake) -> None:
    write(lake, mart())
    assert post(services, box, lake) == 1
    assert [(batch["is_full"], batch["rows"]) for batch in services.export.batches] == [(True, [])]


def test_where_it_is_off_nothing_is_posted(lake: Lake, box: Box) -> None:
    write(lake, mart(a="1.00"))
    off = ExportEndpoint(None, None, 10)
    assert post_exports(off, box, lake, "mart_deals", print) == 0
    assert box.entries() == []
