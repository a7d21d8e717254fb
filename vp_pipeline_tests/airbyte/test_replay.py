"""What each replay mode allows of a past day, with an Airbyte of each kind."""

import threading
from dataclasses import replace
from datetime import date, timedelta

import pytest

from vp_pipeline.airbyte.interface import Sync, sync_of_past_day
from vp_pipeline.airbyte.remote import RemoteAirbyte
from vp_pipeline.failures import PermanentError, TransientError
from vp_pipeline.lake.objects import Lake
from vp_pipeline.sources.keepa.source import KEEPA, PRODUCT
from vp_pipeline_tests.airbyte.remote_syncs import DAY, started
from vp_pipeline_tests.lake.syncs import record_sync
from vp_pipeline_tests.stand_ins.airbyte import AirbyteStandIn

EARLIER = DAY - timedelta(days=1)
# The stand-in's stream, as one that is requested by last update.
UPDATED = replace(PRODUCT, replay="updated")
BY_DAY = replace(KEEPA, streams=(UPDATED,), of_day=lambda day: {"day": day.isoformat()})


@pytest.mark.parametrize("resync", [False, True])
def test_the_newest_finished_day_may_be_requested_in_every_mode(lake: Lake, resync: bool) -> None:
    existing = record_sync(lake, DAY, [])
    for mode in ("window", "snapshot", "updated"):
        stream = replace(PRODUCT, replay=mode)
        assert sync_of_past_day(stream, DAY, DAY, existing, resync=resync) is None


def test_a_past_day_of_a_window_may_be_requested_again(lake: Lake) -> None:
    stream, existing = replace(PRODUCT, replay="window"), record_sync(lake, EARLIER, [])
    assert sync_of_past_day(stream, EARLIER, DAY, existing, resync=False) is None


def test_a_past_day_of_updates_keeps_its_sync_unless_a_person_requests_it_again(lake: Lake) -> None:
    """A new sync could only have less: what was updated again since is in a later day."""
    existing = record_sync(lake, EARLIER, [])
    kept = sync_of_past_day(UPDATED, EARLIER, DAY, existing, resync=False)
    assert kept is not None
    assert kept.record == existing
    assert "updated again since" in str(kept.reused)
    assert sync_of_past_day(UPDATED, EARLIER, DAY, existing, resync=True) is None
    assert sync_of_past_day(UPDATED, EARLIER, DAY, None, resync=False) is None


def test_a_past_day_of_the_present_is_never_requested(lake: Lake) -> None:
    existing = record_sync(lake, EARLIER, [])
    kept = sync_of_past_day(PRODUCT, EARLIER, DAY, existing, resync=True)
    assert kept is not None
    with pytest.raises(PermanentError, match="serves only the present"):
        sync_of_past_day(PRODUCT, EARLIER, DAY, None, resync=False)


def sync(airbyte: RemoteAirbyte, day: date, *, resync: bool = False) -> Sync:
    return airbyte.sync(BY_DAY, UPDATED, day, resync=resync)


def test_the_source_is_configured_for_the_day_before_its_job_starts(
    airbyte: RemoteAirbyte, server: AirbyteStandIn
) -> None:
    before = dict(server.source["configuration"])
    for day in (DAY, EARLIER):
        assert sync(airbyte, day).reused is None
        assert server.source["configuration"] == {**before, "day": day.isoformat()}
    patched = [n for n, request in enumerate(server.requests) if request.startswith("PATCH")]
    begun = [n for n, request in enumerate(server.requests) if request == "POST /api/public/v1/jobs"]
    assert [a < b for a, b in zip(patched, begun, strict=True)] == [True, True]
    assert sync(airbyte, EARLIER).reused
    assert started(server) == 2


def test_a_running_job_is_not_taken_for_one_of_the_day(airbyte: RemoteAirbyte, server: AirbyteStandIn) -> None:
    server.released.clear()
    server.start()
    with pytest.raises(TransientError, match=rf"may be of another day than {EARLIER}"):
        sync(airbyte, EARLIER)
    threading.Timer(0.01, server.released.set).start()
