"""Whether the responses of a day are of that day."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from vp_pipeline.lake import bronze
from vp_pipeline.lake.manifests import SyncRecord
from vp_pipeline.lake.objects import Lake
from vp_pipeline.quality.responses.timeliness import timeliness
from vp_pipeline.sources.keepa.decode import decode
from vp_pipeline.sources.keepa.source import PRODUCT
from vp_pipeline.sources.landed import Received
from vp_pipeline_tests.lake.syncs import record_sync
from vp_pipeline_tests.sources.keepa.decode_lines import NOW, answer, landed, product

DAY = date(2026, 3, 1)
OVER = datetime(2026, 3, 2, tzinfo=UTC)
SYNCED = OVER + timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def sync(tmp_path: Path) -> SyncRecord:
    return record_sync(Lake(tmp_path), DAY, [], records=0, at=SYNCED)


def at(*moments: datetime | None) -> list[Received]:
    return [Received(f"1:B0MADEUP{n:02}", None, moment) for n, moment in enumerate(moments)]


def test_a_response_is_of_the_day_from_its_end_to_the_sync_less_and_plus_two_clocks(sync: SyncRecord) -> None:
    begin = bronze.not_before(PRODUCT, sync)
    assert begin == OVER - 15 * MINUTE
    good = at(begin, OVER, SYNCED, SYNCED + 15 * MINUTE)
    outcome = timeliness("b", sync, begin, good)
    assert outcome.passed
    assert outcome.description == "b: the responses are of 2026-03-01 23:45 to 2026-03-02 01:15 UTC."
    for other in (begin - MINUTE, SYNCED + 16 * MINUTE):
        outcome = timeliness("b", sync, begin, [*good, *at(other)])
        assert (outcome.passed, outcome.warning) == (False, True)
        assert f"1:B0MADEUP00 ({other:%Y-%m-%d %H:%M} UTC" in outcome.description


def test_where_most_are_of_another_day_it_blocks(sync: SyncRecord) -> None:
    old, begin = SYNCED - timedelta(days=198), bronze.not_before(PRODUCT, sync)
    assert timeliness("b", sync, begin, at(old)).blocks
    assert "198 days old" in timeliness("b", sync, begin, at(old)).description
    assert not timeliness("b", sync, begin, at(old, old, SYNCED)).blocks
    assert timeliness("b", sync, begin, at(*[old] * 10, *[SYNCED] * 10)).blocks


def test_recordings_are_of_any_moment_and_their_age_is_reported(sync: SyncRecord) -> None:
    recorded = sync.model_copy(update={"recorded": True})
    assert bronze.not_before(PRODUCT, recorded) is None
    outcome = timeliness("b", recorded, None, at(SYNCED - timedelta(days=198), SYNCED + timedelta(days=9), None))
    assert outcome.passed
    assert "recordings, of 2025-08-16 01:00 to 2026-03-11 01:00 UTC, up to 198 days old" in outcome.description


def test_without_a_moment_there_is_nothing_to_compare(sync: SyncRecord) -> None:
    assert timeliness("b", sync, OVER, at(None)).passed


def test_the_decoder_keeps_what_is_not_of_the_day_out_of_the_rows() -> None:
    moment = datetime.fromtimestamp(NOW / 1000, UTC)
    line = landed(answer(product(), requested="1:B000000001"))
    assert decode([line], moment)["product"].rows.num_rows == 1
    result = decode([line], moment + timedelta(seconds=1))["product"]
    (row,) = result.quarantined
    assert (result.rows.num_rows, result.unaccounted, row.entity) == (0, 0, "B000000001")
    assert row.reason.startswith(f"timestamp is {NOW}, and responses of the day are of 2026-")


def test_the_decoder_keeps_a_product_that_was_not_requested_out_of_the_rows() -> None:
    requested = ("3:B000000001", "1:B000000001")
    result = decode([landed(answer(product(), requested=each), n) for n, each in enumerate(requested)])["product"]
    (row,) = result.quarantined
    assert (result.rows.num_rows, result.unaccounted) == (1, 0)
    assert row.reason == "3:B000000001 was requested, and the response has 1:B000000001"
    error = decode([landed({"timestamp": NOW, "error": {"type": "x"}, "requested": "3:B000000001"})])["product"]
    assert [(row.entity, row.reason) for row in error.quarantined] == [
        ("B000000001", "Keepa responded with an error: x")
    ]


def test_what_was_updated_on_a_day_is_of_that_day(sync: SyncRecord) -> None:
    stream = replace(PRODUCT, replay="updated")
    begin, end = bronze.not_before(stream, sync), bronze.not_after(stream, sync)
    assert (begin, end) == (OVER - timedelta(days=1), OVER)
    assert timeliness("b", sync, begin, at(begin, OVER - MINUTE), end).passed
    for other in (begin - MINUTE, OVER + MINUTE):
        assert timeliness("b", sync, begin, at(other), end).blocks
    recorded = sync.model_copy(update={"recorded": True})
    assert (bronze.not_before(stream, recorded), bronze.not_after(stream, recorded)) == (None, None)
