"""Documents of earlier versions are read, those of newer ones are refused by name and left as they are."""

import dataclasses
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from vp_pipeline.airbyte.batches import UnfinishedSync
from vp_pipeline.airbyte.remote_jobs import RunningSync
from vp_pipeline.delivery.export_endpoint import _Posted
from vp_pipeline.delivery.outbox import Box
from vp_pipeline.failures import DamagedDataError, PermanentError
from vp_pipeline.lake import layout, quarantine, silver
from vp_pipeline.lake.answers.doubts import Doubts
from vp_pipeline.lake.decoded_days import is_up_to_date, record_path, restating
from vp_pipeline.lake.manifests import (
    BronzeManifest,
    DecodedDays,
    Document,
    ExportedUntil,
    ExportManifest,
    LoadedDays,
    ManifestObject,
    SilverManifest,
    SyncRecord,
    read_document,
)
from vp_pipeline.lake.objects import Lake, checksum
from vp_pipeline.lake.quarantine import quarantined
from vp_pipeline.lake.unanswered import Unanswered
from vp_pipeline.sources.keepa.source import PRODUCT
from vp_pipeline.sources.landed import Rejected
from vp_pipeline.sources.source import SyncRequest
from vp_pipeline.stored_formats import StoredFormat, renamed_field, renamed_values, with_default

DAY = date(2026, 3, 10)
NOW = datetime(2026, 3, 11, tzinfo=UTC)
OBJECT = ManifestObject(path="x/ä.parquet", size=1, sha256="00", records=2)
SYNC = SyncRecord(
    source="keepa",
    stream="product",
    run_date=DAY,
    job_id=1,
    origin="stand-in",
    fingerprint="f",
    started_at=NOW,
    ended_at=NOW,
    records=2,
    bytes=1,
    objects=("x",),
    request=SyncRequest(
        ("1:B0SBXUSA01", "1:B0SBXUSA02"),
        90,
        ("x.json is not a recorded Keepa response.",),
        recent={"1:B0SBXUSA01": 3},
        why_whole={"1:B0SBXUSA02": "it has no earlier answer"},
    ),
    refused={"1:B0SBXUSA01": "no such asin"},
    recorded=False,
)
SILVER = SilverManifest(
    source="keepa",
    table="price",
    run_date=DAY,
    bronze="b",
    objects=(OBJECT,),
    records_in=2,
    duplicates=0,
    quarantined=0,
    quarantine=None,
    decoder="d",
    recent_rows=1,
)
EXPORT = ExportManifest(
    mart="mart_deals",
    sequence=1,
    previous=None,
    build="b",
    key=("asin",),
    is_full=True,
    upserts=2,
    deletes=0,
    objects=(OBJECT,),
    published_at=datetime(2026, 3, 11, 0, 10, 0, 123456),
    why_full="it is the first export",
)
DOCUMENTS = (
    SYNC,
    BronzeManifest(sync=SYNC, objects=(OBJECT,)),
    SILVER,
    DecodedDays(decoder="d", left=(DAY,)),
    LoadedDays(contents="c"),
    EXPORT,
    ExportedUntil(mart="mart_deals", sequence=1, build="b", published_at=datetime(2026, 3, 12)),
    RunningSync(job_id=1, connection="c", source="keepa", stream="product", run_date=DAY, request=SYNC.request),
    UnfinishedSync(
        source="keepa", stream="product", run_date=DAY, job_id=1, fingerprint="f", refused={"1:B0SBXUSA01|": "no"}
    ),
    Unanswered(source="keepa", stream="product", run_date=DAY, since={"1:B0SBXUSA01": DAY}),
    Doubts(
        source="keepa",
        stream="product",
        excluded_days={DAY: "why"},
        excluded_answers={"1-B0SBXUSA01": {DAY: "why"}},
        incomplete={"1-B0SBXUSA02": (DAY, "our history begins too late")},
    ),
    _Posted(sequence=3),
)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def name(document: Document) -> str:
    return type(document).__name__


# Where those lie that have parts of their name in them as well.
PLACES = {
    SyncRecord: layout.SYNC,
    BronzeManifest: layout.BRONZE,
    SilverManifest: layout.SILVER,
    ExportManifest: layout.EXPORT,
    ExportedUntil: layout.EXPORTED,
    RunningSync: layout.RUNNING_SYNC,
    UnfinishedSync: layout.UNFINISHED_SYNC,
    Unanswered: layout.UNANSWERED,
    Doubts: layout.DOUBTS,
}


def path_of(document: Document, **other: object) -> str:
    place = PLACES.get(type(document))
    return place.path(**{"root": "gold", **document.parts, **other}) if place else "x.json"


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_a_document_is_read_as_it_was_written(lake: Lake, document: Document) -> None:
    lake.write(path_of(document), document.to_bytes())
    assert read_document(lake, path_of(document), type(document)) == document


# What lies at the place of another day, stream or mart would be taken for that one's. The others hold for any place.
@pytest.mark.parametrize("document", [document for document in DOCUMENTS if document.parts], ids=name)
def test_a_document_of_another_place_is_refused_by_name(lake: Lake, document: Document) -> None:
    of_others = {"source": "x", "stream": "x", "table": "x", "mart": "x", "number": 2, "day": DAY + timedelta(days=1)}
    for part, value in document.parts.items():
        path = path_of(document, **{part: of_others[part]})
        lake.write(path, document.to_bytes())
        with pytest.raises(
            DamagedDataError, match=rf"{path} is the .* of .*{part} {value}.*: copied or moved here\. .*(ove|request) "
        ):
            read_document(lake, path, type(document))


def test_every_document_of_a_day_has_the_parts_of_its_name() -> None:
    assert {name(document) for document in DOCUMENTS if not document.parts} == {"DecodedDays", "LoadedDays", "_Posted"}


@pytest.mark.parametrize("document", [d for d in DOCUMENTS if d.FORMAT.version == 1], ids=name)
def test_version_1_is_written_as_before_there_were_versions(document: Document) -> None:
    assert document.to_bytes() == (document.model_dump_json(indent=2) + "\n").encode()


def test_an_export_of_version_1_keeps_its_checksum(lake: Lake) -> None:
    """An export names the one before it by its checksum, and a batch its export."""
    old = json.loads(EXPORT.to_bytes())
    assert old.pop("version") == 2
    del old["published_at"], old["why_full"]
    content = (json.dumps(old | {"state": OBJECT.model_dump()}, indent=2, ensure_ascii=False) + "\n").encode()
    lake.write(path_of(EXPORT), content)
    found = read_document(lake, path_of(EXPORT), ExportManifest)
    assert found == EXPORT.model_copy(update={"published_at": None, "why_full": None, "state": OBJECT})
    assert found.digest == checksum(content)


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_a_newer_document_is_refused_by_name(lake: Lake, document: Document) -> None:
    newer = {**json.loads(document.to_bytes()), "version": document.FORMAT.version + 1, "more": 1}
    lake.write("bronze/x.json", json.dumps(newer).encode())
    refused = rf"bronze/x.json is of version \d of the {document.FORMAT.name}, and this code knows up to \d"
    with pytest.raises(PermanentError, match=refused) as error:
        read_document(lake, "bronze/x.json", type(document))
    assert not isinstance(error.value, DamagedDataError)  # damaged ones are written again in places


@pytest.mark.parametrize("recorded", [True, False])
def test_a_sync_of_v0_1_0_does_not_know_what_it_requested(lake: Lake, recorded: bool) -> None:
    origin = "recordings in keepa (0123456789ab)" if recorded else "https://api.keepa.com"
    old = json.loads(SYNC.to_bytes()) | {"origin": origin}
    for field in ("version", "request", "refused", "recorded"):
        del old[field]
    expected = SYNC.model_copy(update={"origin": origin, "request": None, "refused": {}, "recorded": recorded})
    lake.write(path_of(SYNC), json.dumps(old).encode())
    assert read_document(lake, path_of(SYNC), SyncRecord) == expected
    lake.write(path_of(SYNC), json.dumps({"sync": old, "objects": []}).encode())
    assert read_document(lake, path_of(SYNC), BronzeManifest) == BronzeManifest(sync=expected, objects=())


def test_a_sync_before_requests_for_the_last_days_requested_all_alike(lake: Lake) -> None:
    old = json.loads(SYNC.to_bytes())
    assert old.pop("version") == 3
    del old["request"]["recent"], old["request"]["why_whole"]
    alike = dataclasses.replace(SYNC.request, recent={}, why_whole={}) if SYNC.request else None
    expected = SYNC.model_copy(update={"request": alike})
    for name, found, whole in (
        (path_of(SYNC), SyncRecord, expected),
        (path_of(BronzeManifest(sync=SYNC, objects=())), BronzeManifest, BronzeManifest(sync=expected, objects=())),
    ):
        stored = old if found is SyncRecord else {"sync": old, "objects": []}
        lake.write(name, json.dumps({**stored, "version": 2}).encode())
        assert read_document(lake, name, found) == whole


def test_a_silver_manifest_of_an_earlier_version(lake: Lake) -> None:
    """v0.1.0 did not record the decoder; before requests for the last days there were no rows of them."""
    old = json.loads(SILVER.to_bytes())
    assert old.pop("version") == 3
    del old["recent_rows"]
    lake.write(path_of(SILVER), json.dumps({**old, "version": 2}).encode())
    assert read_document(lake, path_of(SILVER), SilverManifest) == SILVER.model_copy(update={"recent_rows": 0})
    del old["decoder"]
    lake.write(path_of(SILVER), json.dumps(old).encode())
    older = SILVER.model_copy(update={"recent_rows": 0, "decoder": None})
    assert read_document(lake, path_of(SILVER), SilverManifest) == older


def test_what_is_newer_in_silver_is_not_replaced(lake: Lake) -> None:
    path = silver.manifest_path(PRODUCT.tables[0], DAY)
    for newer in (path, record_path(PRODUCT)):
        lake.write(newer, b'{"version": 99}')
        with pytest.raises(PermanentError, match="is of version 99"), restating(lake, PRODUCT):
            pytest.fail("days would be decoded again")
        assert lake.read(newer) == b'{"version": 99}'
        lake.delete(newer)
    assert not is_up_to_date(lake, PRODUCT)


@pytest.mark.parametrize("content", [b"{", b"[]", b"null", b'{"version": 1}'])
def test_a_damaged_document_is_named(lake: Lake, content: bytes) -> None:
    lake.write("x.json", content)
    with pytest.raises(DamagedDataError, match=r"x.json is .*\. Restore it from a backup, or request the day "):
        read_document(lake, "x.json", SyncRecord)


def test_a_line_of_quarantine(lake: Lake) -> None:
    line = {"table": "product", "reason": "r", "record": "{}", "source_object": "o", "source_line": 1, "asin": "A"}
    path = silver.quarantine_path(PRODUCT.tables[0], DAY)
    row = Rejected("product", "r", "{}", "o", 1, "A")
    for written in (line, {**line, "version": 2, "source": "keepa"}, quarantine.line_of(row, "keepa", DAY)):
        lake.write(path, orjson.dumps(written) + b"\n")
        assert [found.rows for found in quarantined(lake)] == [(row,)]
    of_others = [
        {**line, "table": "price"},
        quarantine.line_of(row, "other", DAY),
        quarantine.line_of(row, "keepa", DAY + timedelta(days=1)),
    ]
    for written in of_others:
        lake.write(path, orjson.dumps(written) + b"\n")
        with pytest.raises(DamagedDataError, match=rf"{path}, line 1, is of .*: copied here\. Move the file away"):
            list(quarantined(lake))
    lake.write(path, orjson.dumps({**line, "version": 4}) + b"\n")
    with pytest.raises(PermanentError, match=rf"{path}, line 1, is of version 4 of the quarantine"):
        list(quarantined(lake))


def event(key: str, state: str, **more: object) -> bytes:
    return orjson.dumps({"key": key, "state": state, "at": NOW.isoformat(), **more}) + b"\n"


def test_messages_of_v0_1_0_that_are_unconfirmed_are_still_to_be_delivered(tmp_path: Path) -> None:
    box = Box(tmp_path / "slack.jsonl")
    old = event("a", "queued", content={"text": "x"}) + event("a", "sending") + event("a", "doubtful", reason="lost")
    Path(box.location).write_bytes(old)
    (entry,) = box.open_entries()
    assert (entry.state, entry.is_unconfirmed, entry.tries, entry.reason) == ("unconfirmed", True, 1, "lost")
    box.put("b", {"text": "y"}, NOW)
    box.note("b", "delivered", NOW)
    assert Path(box.location).read_bytes().startswith(old)
    assert box.forget(datetime(2027, 1, 1, tzinfo=UTC)) == 1  # writes what is left again, as the present version
    assert box.entries() == [entry]
    assert {orjson.loads(line)["version"] for line in Path(box.location).read_bytes().splitlines()} == {2}


def test_a_box_of_a_newer_version_is_refused_and_kept(tmp_path: Path) -> None:
    box = Box(tmp_path / "slack.jsonl")
    newer = event("a", "handed_over", version=3)
    Path(box.location).write_bytes(newer)
    use: list[Callable[[], object]] = [box.entries, lambda: box.put("b", {}), lambda: box.forget(NOW)]
    for each in use:
        with pytest.raises(PermanentError, match=r"A line of .*slack.jsonl is of version 3 of the outbox"):
            each()
    assert Path(box.location).read_bytes() == newer


def test_upgrades_are_taken_in_order() -> None:
    three = StoredFormat("sample", (renamed_field("a", "b"), with_default(c=0), renamed_values("b", {"old": "new"})))
    assert three.version == 4
    assert three.read({"a": "old"}, "x") == {"b": "new", "c": 0}
    assert three.read({"version": 3, "b": "old", "c": 5}, "x") == {"b": "new", "c": 5}
    assert three.read(three.mark({"b": "old", "c": 5}), "x") == {"b": "old", "c": 5}
    assert StoredFormat("sample").mark({"b": 1}) == {"b": 1}
