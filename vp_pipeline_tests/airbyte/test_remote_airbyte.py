"""Airbyte as a service: one finished sync per partition, whatever its jobs do on the way."""

import gzip
import json
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from vp_pipeline.airbyte.interface import Sync
from vp_pipeline.airbyte.remote import RemoteAirbyte
from vp_pipeline.airbyte.remote_jobs import running_path
from vp_pipeline.failures import DamagedDataError, PermanentError, TransientError
from vp_pipeline.lake import bronze
from vp_pipeline.lake.objects import Lake
from vp_pipeline.sources.keepa.source import PRODUCT
from vp_pipeline.sources.source import SyncRequest
from vp_pipeline_tests.airbyte.remote_syncs import DAY, landing, started, sync
from vp_pipeline_tests.stand_ins.airbyte import CONNECTION, AirbyteStandIn


def test_a_sync_is_filed_with_its_objects(airbyte: RemoteAirbyte, server: AirbyteStandIn, bucket: Lake) -> None:
    landing(bucket, records=1)(1_700_000_000_000)  # another sync's
    found = sync(airbyte)
    record = found.record
    assert found.reused is None
    assert record.job_id == server.jobs[0].job_id
    assert record.records == 3
    assert len(record.objects) == 2
    assert record.bytes == sum(bucket.size(path) for path in record.objects)
    assert record.origin == f"Airbyte connection {CONNECTION}"
    assert bronze.read_sync(bucket, PRODUCT, DAY) == record
    assert bronze.land(bucket, PRODUCT, DAY).records == 3
    assert not bucket.exists(running_path(PRODUCT, DAY))


def test_a_finished_sync_is_reused_without_a_request(airbyte: RemoteAirbyte, server: AirbyteStandIn) -> None:
    record = sync(airbyte).record
    server.requests.clear()
    again = sync(airbyte)
    assert again.record == record
    assert again.reused
    assert server.requests == []
    assert sync(airbyte, resync=True).record.job_id > record.job_id


def test_a_past_day_is_not_requested_from_the_present(airbyte: RemoteAirbyte, server: AirbyteStandIn) -> None:
    with pytest.raises(PermanentError, match=rf"can be synced for {DAY} .* but not for {DAY - timedelta(days=1)}"):
        sync(airbyte, DAY - timedelta(days=1))
    assert server.requests == []


def test_a_day_that_was_synced_at_the_time_keeps_its_sync(airbyte: RemoteAirbyte, server: AirbyteStandIn) -> None:
    record = sync(airbyte).record
    later = replace(airbyte, newest=lambda: DAY + timedelta(days=1))
    assert sync(later, resync=True).record == record
    assert started(server) == 1


def test_a_running_sync_is_attached_to(airbyte: RemoteAirbyte, server: AirbyteStandIn) -> None:
    """409: someone started it in Airbyte itself, or another run did."""
    server.released.clear()
    running = server.start()
    threading.Timer(0.3, server.released.set).start()
    assert sync(airbyte).record.job_id == running.job_id
    assert len(server.jobs) == 1


def test_a_running_sync_that_began_before_the_day_was_over_is_not_taken(
    airbyte: RemoteAirbyte, server: AirbyteStandIn
) -> None:
    server.released.clear()
    server.start(started_at=datetime.now(UTC) - timedelta(days=1))
    with pytest.raises(TransientError, match=rf"{DAY} was not over then"):
        sync(airbyte)


def test_two_runs_of_a_day_share_one_sync(airbyte: RemoteAirbyte, server: AirbyteStandIn) -> None:
    server.released.clear()
    found: list[Sync] = []
    runs = [threading.Thread(target=lambda: found.append(sync(airbyte, resync=True))) for _ in range(2)]
    for run in runs:
        run.start()
    time.sleep(0.5)
    server.released.set()
    for run in runs:
        run.join()
    assert len(server.jobs) == 1
    # Which of the two filed it first, and so whether it knows what was requested, is not determined.
    assert len({(one.record.job_id, one.record.records, one.record.objects) for one in found}) == 1


def test_after_the_deadline_a_retry_continues_with_the_same_job(
    airbyte: RemoteAirbyte, server: AirbyteStandIn, bucket: Lake
) -> None:
    server.released.clear()
    with pytest.raises(PermanentError, match=r"VP_AIRBYTE_DEADLINE_SECONDS.* wait for the same job"):
        sync(replace(airbyte, deadline_seconds=0.05))
    assert bucket.exists(running_path(PRODUCT, DAY))
    server.released.set()
    logged: list[str] = []
    record = sync(airbyte, log=logged.append).record
    assert record.job_id == server.jobs[0].job_id
    assert len(server.jobs) == 1
    assert "an earlier attempt" in logged[0]


def ends_while_no_run_waits(airbyte: RemoteAirbyte, server: AirbyteStandIn) -> None:
    server.released.clear()
    with pytest.raises(PermanentError):
        sync(replace(airbyte, deadline_seconds=0.05))
    server.released.set()
    while server.jobs[0].status == "running":
        time.sleep(0.02)


def test_a_job_that_ended_while_no_run_waited_is_filed(airbyte: RemoteAirbyte, server: AirbyteStandIn) -> None:
    """The machine went down after the start; the next attempt comes a day later."""
    ends_while_no_run_waits(airbyte, server)
    later = replace(airbyte, newest=lambda: DAY + timedelta(days=1))
    assert sync(later).record.job_id == server.jobs[0].job_id
    assert started(server) == 1


def test_resync_starts_another_job_when_the_recorded_one_has_ended(
    airbyte: RemoteAirbyte, server: AirbyteStandIn
) -> None:
    ends_while_no_run_waits(airbyte, server)
    assert sync(airbyte, resync=True).record.job_id == server.jobs[1].job_id


def test_a_past_day_is_not_requested_though_its_job_has_ended(airbyte: RemoteAirbyte, server: AirbyteStandIn) -> None:
    """A response of the present is not of the day; the job of the day itself can still be filed."""
    ends_while_no_run_waits(airbyte, server)
    later = replace(airbyte, newest=lambda: DAY + timedelta(days=1))
    with pytest.raises(PermanentError):
        sync(later, resync=True)
    assert started(server) == 1
    assert sync(later).record.job_id == server.jobs[0].job_id


def test_a_recorded_job_that_airbyte_does_not_know_is_reported_with_the_remedy(
    airbyte: RemoteAirbyte, server: AirbyteStandIn, bucket: Lake
) -> None:
    bucket.write(running_path(PRODUCT, DAY), json.dumps({"job_id": 404, "connection": CONNECTION}).encode())
    with pytest.raises(PermanentError, match=rf"HTTP 404.*vp run --date {DAY} --resync"):
        sync(airbyte)
    assert sync(airbyte, resync=True).record.job_id == server.jobs[0].job_id


def test_what_was_requested_is_what_the_source_was_configured_with(
    airbyte: RemoteAirbyte, server: AirbyteStandIn
) -> None:
    server.source["configuration"] |= {"requests": ["3:B0SBXUSA01|90", "5:B0SBXJPN10|90"]}
    server.released.clear()
    with pytest.raises(PermanentError, match="It keeps running"):
        sync(replace(airbyte, deadline_seconds=0.1))
    server.source["configuration"] |= {"requests": ["1:B0SBXXXX01|"]}  # of the next job, not of this one
    server.released.set()
    record = sync(airbyte).record
    assert record.request == SyncRequest(("3:B0SBXUSA01", "5:B0SBXJPN10"), 90)
    assert not record.recorded


@pytest.mark.parametrize("configuration", [None, {}, {"asins": ["B0SBXUSA01"]}, {"requests": []}, {"requests": [1]}])
def test_a_source_that_cannot_be_read_is_not_known_and_stops_nothing(
    airbyte: RemoteAirbyte, server: AirbyteStandIn, configuration: dict[str, Any] | None
) -> None:
    if configuration is None:
        server.connection["sourceId"] = "of-another-workspace"
    else:
        server.source["configuration"] = configuration
    lines: list[str] = []
    assert sync(airbyte, log=lines.append).record.request is None
    assert any("The configuration of keepa in Airbyte" in line for line in lines)


def test_what_a_job_requests_that_someone_else_started_is_not_known(
    airbyte: RemoteAirbyte, server: AirbyteStandIn
) -> None:
    server.released.clear()
    server.start()
    threading.Timer(0.3, server.released.set).start()
    assert sync(airbyte).record.request is None


def test_the_record_of_a_running_sync_of_another_day_is_refused(
    airbyte: RemoteAirbyte, server: AirbyteStandIn, bucket: Lake
) -> None:
    ends_while_no_run_waits(airbyte, server)
    yesterday = bucket.read(running_path(PRODUCT, DAY))
    bucket.write(running_path(PRODUCT, DAY + timedelta(days=1)), yesterday)
    with pytest.raises(DamagedDataError, match=rf"{DAY + timedelta(days=1)}.running.json is .*day {DAY}: copied"):
        sync(airbyte, day=DAY + timedelta(days=1))


def test_an_object_of_another_writer_is_ignored(airbyte: RemoteAirbyte, bucket: Lake) -> None:
    other = f"bronze/keepa/product/{datetime.now(UTC):%Y_%m_%d}_1700000000000_0.jsonl.gz"
    bucket.write(other, gzip.compress(b'{"asin": "B0"}\n'))
    record = sync(airbyte).record
    assert other not in record.objects
    assert bronze.land(bucket, PRODUCT, DAY).records == record.records == 3


class Stop(BaseException):
    """Like what Dagster raises in a step whose run is cancelled: not an Exception."""


def test_a_cancelled_run_cancels_its_sync(airbyte: RemoteAirbyte, server: AirbyteStandIn, bucket: Lake) -> None:
    server.released.clear()

    def stop(line: str) -> None:
        if ": running" in line:
            raise Stop

    with pytest.raises(Stop):
        sync(airbyte, log=stop)
    assert server.jobs[0].status == "cancelled"
    assert not bucket.exists(running_path(PRODUCT, DAY))
    server.released.set()
    assert sync(airbyte).record.job_id == server.jobs[1].job_id


def test_a_sync_that_fails_half_way_reports_why_and_files_nothing(
    airbyte: RemoteAirbyte, server: AirbyteStandIn, bucket: Lake
) -> None:
    server.work = landing(bucket, records=5, fails=True)
    with pytest.raises(PermanentError, match=r"ended as failed \(job \d+\): Keepa refused the API key \(HTTP 402\)\."):
        sync(airbyte)
    assert bronze.read_sync(bucket, PRODUCT, DAY) is None
    assert bucket.list("bronze/keepa/product", prefix=f"{datetime.now(UTC):%Y_%m_%d}_")  # the half that it had landed
    server.work = landing(bucket)
    assert len(sync(airbyte).record.objects) == 2  # and none of the other job's


@pytest.mark.parametrize("status", ["cancelled", "failed"])
def test_a_sync_that_ended_otherwise_is_a_failure(airbyte: RemoteAirbyte, server: AirbyteStandIn, status: str) -> None:
    server.released.clear()
    server.statuses = ["running", status]
    with pytest.raises(PermanentError, match=f"ended as {status} .*Airbyte gives no reason"):
        sync(airbyte)


def test_an_incomplete_sync_is_waited_for(airbyte: RemoteAirbyte, server: AirbyteStandIn) -> None:
    """An attempt has failed; Airbyte makes another one by itself."""
    server.released.clear()
    server.statuses = ["running", "incomplete", "incomplete", "failed"]
    with pytest.raises(PermanentError, match="ended as failed"):
        sync(airbyte)
