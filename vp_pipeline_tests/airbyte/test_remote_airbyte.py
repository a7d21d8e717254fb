"""Airbyte as a service: one finished sync per partition, whatever its API and its jobs do on the way."""

import gzip
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Response

from vp_pipeline.airbyte.connector import Record
from vp_pipeline.airbyte.connector_runner import SyncJob
from vp_pipeline.airbyte.interface import Sync
from vp_pipeline.airbyte.landing import Landing
from vp_pipeline.airbyte.remote import RemoteAirbyte, RunningSync, running_path
from vp_pipeline.failures import PermanentError, TransientError
from vp_pipeline.lake import bronze
from vp_pipeline.lake.folder import FolderStore
from vp_pipeline.lake.objects import Lake
from vp_pipeline.partitions import newest_finished_day
from vp_pipeline.sources.keepa.source import KEEPA, PRODUCT
from vp_pipeline_tests.stand_ins.airbyte import CONNECTION, AirbyteStandIn, airbyte_stand_in, json_response
from vp_pipeline_tests.stand_ins.s3 import times

DAY = newest_finished_day()
LAKE_URL = "s3://a-bucket/lake"


class _Bucket(FolderStore):
    """A folder with the location of a bucket: what the connection's destination is compared with."""

    def location(self, path: str) -> str:
        return f"{LAKE_URL}/{path}".rstrip("/")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(_Bucket(tmp_path / "lake"))


def landing(lake: Lake, records: int = 3, fails: bool = False) -> Callable[[int], SyncJob]:
    """What a job of the stand-in does: two records per object."""

    def read() -> Iterator[Record]:
        for n in range(records):
            yield Record({"n": n, "text": "x" * 1000}, time.time_ns() // 1_000_000)
        if fails:
            raise RuntimeError("Keepa refused the API key (HTTP 402)")

    def work(job_id: int) -> SyncJob:
        landed = Landing(lake, "keepa", "product", job_id, part_bytes=1500)
        landed.land(read())
        now = datetime.now(UTC)
        return SyncJob(
            job_id, "keepa", "product", "succeeded", landed.started_at, now, landed.records, landed.bytes, (), ()
        )

    return work


@pytest.fixture
def server(lake: Lake) -> Iterator[AirbyteStandIn]:
    with airbyte_stand_in(LAKE_URL, landing(lake)) as stand_in:
        yield stand_in


@pytest.fixture
def airbyte(lake: Lake, server: AirbyteStandIn) -> RemoteAirbyte:
    return RemoteAirbyte(lake, {"keepa": CONNECTION}, server.client, poll_seconds=0.02, deadline_seconds=20)


def sync(airbyte: RemoteAirbyte, day: date = DAY, **options: Any) -> Sync:
    return airbyte.sync(KEEPA, PRODUCT, day, **options)


def started(server: AirbyteStandIn) -> int:
    return server.requests.count("POST /api/public/v1/jobs")


def test_a_sync_is_filed_with_its_objects(airbyte: RemoteAirbyte, server: AirbyteStandIn, lake: Lake) -> None:
    landing(lake, records=1)(1_700_000_000_000)  # another sync's
    found = sync(airbyte)
    record = found.record
    assert found.reused is None
    assert record.job_id == server.jobs[0].job_id
    assert record.records == 3
    assert len(record.objects) == 2
    assert record.bytes == sum(lake.size(path) for path in record.objects)
    assert record.origin == f"Airbyte connection {CONNECTION}"
    assert bronze.read_sync(lake, PRODUCT, DAY) == record
    assert bronze.land(lake, PRODUCT, DAY).records == 3
    assert not lake.exists(running_path(PRODUCT, DAY))


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
    assert found[0].record == found[1].record


def test_after_the_deadline_a_retry_continues_with_the_same_job(
    airbyte: RemoteAirbyte, server: AirbyteStandIn, lake: Lake
) -> None:
    server.released.clear()
    with pytest.raises(PermanentError, match=r"VP_AIRBYTE_DEADLINE_SECONDS.* wait for the same job"):
        sync(replace(airbyte, deadline_seconds=0.05))
    assert lake.exists(running_path(PRODUCT, DAY))
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
    airbyte: RemoteAirbyte, server: AirbyteStandIn, lake: Lake
) -> None:
    lake.write(running_path(PRODUCT, DAY), RunningSync(job_id=404, connection=CONNECTION).model_dump_json().encode())
    with pytest.raises(PermanentError, match=rf"HTTP 404.*vp run --date {DAY} --resync"):
        sync(airbyte)
    assert sync(airbyte, resync=True).record.job_id == server.jobs[0].job_id


def test_an_object_of_another_writer_is_ignored(airbyte: RemoteAirbyte, lake: Lake) -> None:
    other = f"bronze/keepa/product/{datetime.now(UTC):%Y_%m_%d}_1700000000000_0.jsonl.gz"
    lake.write(other, gzip.compress(b'{"asin": "B0"}\n'))
    record = sync(airbyte).record
    assert other not in record.objects
    assert bronze.land(lake, PRODUCT, DAY).records == record.records == 3


class Stop(BaseException):
    """Like what Dagster raises in a step whose run is cancelled: not an Exception."""


def test_a_cancelled_run_cancels_its_sync(airbyte: RemoteAirbyte, server: AirbyteStandIn, lake: Lake) -> None:
    server.released.clear()

    def stop(line: str) -> None:
        if ": running" in line:
            raise Stop

    with pytest.raises(Stop):
        sync(airbyte, log=stop)
    assert server.jobs[0].status == "cancelled"
    assert not lake.exists(running_path(PRODUCT, DAY))
    server.released.set()
    assert sync(airbyte).record.job_id == server.jobs[1].job_id


def test_a_sync_that_fails_half_way_reports_why_and_files_nothing(
    airbyte: RemoteAirbyte, server: AirbyteStandIn, lake: Lake
) -> None:
    server.work = landing(lake, records=5, fails=True)
    with pytest.raises(PermanentError, match=r"ended as failed \(job \d+\): Keepa refused the API key \(HTTP 402\)\."):
        sync(airbyte)
    assert bronze.read_sync(lake, PRODUCT, DAY) is None
    assert lake.list("bronze/keepa/product", prefix=f"{datetime.now(UTC):%Y_%m_%d}_")  # the half that it had landed
    server.work = landing(lake)
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


def test_an_api_that_fails_for_a_while_is_retried(airbyte: RemoteAirbyte, server: AirbyteStandIn) -> None:
    server.faults.append(times(3, lambda request: Response("down", status=502)))
    assert sync(airbyte).record.records == 3


def test_an_api_that_stays_down_is_a_transient_failure(airbyte: RemoteAirbyte, server: AirbyteStandIn) -> None:
    server.faults.append(lambda request: Response("down", status=503))
    with pytest.raises(TransientError, match=r"Airbyte fails at http://.*\(HTTP 503\), 4 times"):
        sync(airbyte)


def test_no_response_at_all_is_a_transient_failure(airbyte: RemoteAirbyte, server: AirbyteStandIn) -> None:
    gone = server.client(url="http://127.0.0.1:9")
    with pytest.raises(TransientError, match=r"does not respond at .*VP_AIRBYTE_API_URL"):
        sync(replace(airbyte, client=lambda: gone))


@pytest.mark.parametrize(
    ("status", "message"), [(403, "VP_AIRBYTE_WORKSPACE_ID"), (404, "VP_AIRBYTE_…"), (422, "same")]
)
def test_a_rejected_request_is_not_retried(
    airbyte: RemoteAirbyte, server: AirbyteStandIn, status: int, message: str
) -> None:
    server.faults.append(
        lambda request: json_response({"detail": "not allowed"}, status) if "connections" in request.path else None
    )
    with pytest.raises(PermanentError, match=rf"\(HTTP {status}\): not allowed\. .*{message}"):
        sync(airbyte)
    assert server.requests.count("POST /api/v1/connections/get") == 1


def test_an_expired_token_is_replaced(airbyte: RemoteAirbyte, server: AirbyteStandIn) -> None:
    server.faults.append(
        times(1, lambda request: json_response({"message": "expired"}, 401) if "jobs" in request.path else None)
    )
    assert sync(airbyte).record.records == 3
    assert len(server.tokens) == 2


def test_a_wrong_secret_is_named_and_not_shown(airbyte: RemoteAirbyte, server: AirbyteStandIn) -> None:
    api = server.client(secret="another/secret")
    with pytest.raises(PermanentError, match=r"VP_AIRBYTE_CLIENT_SECRET") as refused:
        sync(replace(airbyte, client=lambda: api))
    assert "another/secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.connection.update(status="inactive"), "its status is 'inactive', not 'active'"),
        (lambda s: s.connection.update(prefix="x_"), "get the prefix 'x_'"),
        (lambda s: s.connection.update(namespaceDefinition="source"), "namespaceDefinition is 'source'"),
        (lambda s: s.connection.update(scheduleType="cron"), "on a cron schedule"),
        (lambda s: s.connection["syncCatalog"].update(streams=[]), "does not sync the stream product .*none"),
        (
            lambda s: s.connection["syncCatalog"]["streams"][0]["config"].update(destinationSyncMode="overwrite"),
            "destinationSyncMode of product is 'overwrite', not 'append'",
        ),
        (lambda s: s.destination["configuration"].update(s3_bucket_path="other"), "is 'other', not 'lake/bronze'"),
        (lambda s: s.destination["configuration"].update(s3_bucket_name="other"), "is 'other', not 'a-bucket'"),
        (lambda s: s.destination["configuration"].update(s3_path_format="${EPOCH}"), "s3_path_format"),
        (lambda s: s.destination["configuration"]["format"].update(format_type="Parquet"), "'Parquet', not 'JSONL'"),
    ],
)
def test_a_connection_that_drifted_is_not_started(
    airbyte: RemoteAirbyte, server: AirbyteStandIn, change: Callable[[AirbyteStandIn], object], message: str
) -> None:
    change(server)
    with pytest.raises(PermanentError, match=rf"is not what keepa/product expects: .*{message}.*infra/airbyte"):
        sync(airbyte)
    assert started(server) == 0
