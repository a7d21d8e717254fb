"""Syncs that an Airbyte on its own schedule has landed: none is lost, none is taken twice, only complete ones count."""

import os
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vp_pipeline.airbyte.remote import running_path
from vp_pipeline.automation.jobs import requests_data, runs_whole_days
from vp_pipeline.automation.sensors.landed import SETTLING, Position, landed_sensor, landed_since
from vp_pipeline.build import build_definitions
from vp_pipeline.lake import bronze
from vp_pipeline.lake.manifests import BronzeManifest, SyncRecord
from vp_pipeline.lake.objects import Lake
from vp_pipeline.partitions import ONE_DAY
from vp_pipeline.quality.freshness import CHECK
from vp_pipeline.sources.keepa.source import PRODUCT
from vp_pipeline.sources.source import Stream
from vp_pipeline.sources.sp_api.source import ORDERS
from vp_pipeline_tests.automation.conftest import freshness_of
from vp_pipeline_tests.conftest import pipeline_settings
from vp_pipeline_tests.lake.syncs import record_sync

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
FIRST = date(2026, 3, 1)


def land(lake: Lake, day: date, at: datetime, job_id: int = 1) -> SyncRecord:
    record = record_sync(lake, day, [f"bronze/keepa/product/2026_03_01_{job_id}_0.jsonl.gz"], job_id=job_id, at=NOW)
    os.utime(lake.location(bronze.sync_path(PRODUCT, day)), (at.timestamp(), at.timestamp()))
    return record


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


def taken(lake: Lake, position: Position, now: datetime, limit: int = 10) -> tuple[list[date], Position]:
    found, position = landed_since(lake, [PRODUCT], position, now, limit)
    return [item.sync.run_date for item in found], position


@settings(max_examples=40, deadline=None)
@given(
    # For each day, the second in which its sync lands: often the same, in any order of paths.
    st.lists(st.integers(min_value=0, max_value=6), min_size=1, max_size=12),
    st.lists(st.integers(min_value=0, max_value=9), min_size=1, max_size=8),
    st.integers(min_value=1, max_value=4),
)
def test_every_sync_is_taken_once_whatever_lands_together(seconds: list[int], ticks: list[int], limit: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(Path(folder))
        found: list[date] = []
        position, now = Position(0, ""), NOW
        waiting = {FIRST + ONE_DAY * n: second for n, second in enumerate(seconds)}
        for wait in [*ticks, 60, *[1] * 30]:
            now += timedelta(seconds=wait)
            for day, second in list(waiting.items()):
                landed_at = NOW + timedelta(seconds=second)
                if landed_at <= now:
                    land(lake, day, landed_at)  # the store's clock has whole seconds
                    del waiting[day]
            days, position = taken(lake, position, now, limit)
            assert len(days) <= limit
            found += days
        assert sorted(found) == [FIRST + ONE_DAY * n for n in range(len(seconds))]


def test_what_may_still_get_company_waits(lake: Lake) -> None:
    land(lake, FIRST, NOW)
    assert taken(lake, Position(0, ""), NOW + SETTLING / 2)[0] == []
    assert taken(lake, Position(0, ""), NOW + SETTLING)[0] == [FIRST]


def test_objects_without_a_record_are_no_sync(lake: Lake) -> None:
    lake.write("bronze/keepa/product/2026_03_01_1_0.jsonl.gz", b"a sync that is still running, or died")
    assert taken(lake, Position(0, ""), NOW + ONE_DAY * 365)[0] == []


def test_a_sync_that_is_waited_for_is_passed_over(lake: Lake) -> None:
    lake.write(running_path(PRODUCT, FIRST), b'{"job_id": 1, "connection": "c"}')
    land(lake, FIRST + ONE_DAY, NOW)
    assert taken(lake, Position(0, ""), NOW + ONE_DAY * 365)[0] == [FIRST + ONE_DAY]


def test_what_bronze_holds_starts_nothing_and_a_newer_sync_of_it_does(lake: Lake) -> None:
    landed = land(lake, FIRST, NOW)
    lake.write(bronze.manifest_path(PRODUCT, FIRST), BronzeManifest(sync=landed, objects=()).to_bytes())
    later = NOW + SETTLING * 4
    days, position = taken(lake, Position(0, ""), later)
    assert days == []
    land(lake, FIRST, later, job_id=2)
    assert taken(lake, position, later + SETTLING)[0] == [FIRST]


def evaluate(
    lake: Lake, instance: dg.DagsterInstance, definitions: dg.Definitions, cursor: str | None = None
) -> tuple[dict[str | None, str | None], str | None]:
    requests, cursor = ticked(lake, instance, definitions, [PRODUCT], cursor)
    return {request.partition_key: request.run_key for request in requests}, cursor


def ticked(
    lake: Lake,
    instance: dg.DagsterInstance,
    definitions: dg.Definitions,
    streams: Sequence[Stream],
    cursor: str | None = None,
) -> tuple[Sequence[dg.RunRequest], str | None]:
    sensor = landed_sensor(lake, streams, date(2026, 1, 1), freshness_of(definitions))
    with dg.build_sensor_context(instance, cursor=cursor, repository_def=definitions.get_repository_def()) as context:
        tick = sensor.evaluate_tick(context)
    return tick.run_requests or [], tick.cursor


def test_each_day_is_one_request_with_its_syncs(
    lake: Lake, instance: dg.DagsterInstance, definitions: dg.Definitions
) -> None:
    for n in range(3):
        land(lake, FIRST + ONE_DAY * n, NOW - ONE_DAY * 100)
    land(lake, date(2025, 12, 31), NOW - ONE_DAY * 100)  # before the first partition
    requests, cursor = evaluate(lake, instance, definitions)
    assert requests == {
        "2026-03-01": "2026-03-01 keepa/product:1",
        "2026-03-02": "2026-03-02 keepa/product:1",
        "2026-03-03": "2026-03-03 keepa/product:1",
    }
    assert evaluate(lake, instance, definitions, cursor) == ({}, cursor)


def test_a_run_that_syncs_the_day_itself_is_left_to_it(
    lake: Lake, instance: dg.DagsterInstance, definitions: dg.Definitions
) -> None:
    land(lake, FIRST, NOW - ONE_DAY * 100)
    land(lake, FIRST + ONE_DAY, NOW - ONE_DAY * 99)
    tags = {"dagster/partition": "2026-03-01"}
    run = instance.create_run_for_job(_nothing, tags=tags, status=dg.DagsterRunStatus.STARTED)
    requests, cursor = evaluate(lake, instance, definitions)
    assert set(requests) == {"2026-03-02"}
    instance.report_run_failed(run)  # before it landed anything
    requests, _ = evaluate(lake, instance, definitions, cursor)
    # The other one comes again under the same key: Dagster makes one run of a key.
    assert requests == {"2026-03-01": "2026-03-01 keepa/product:1", "2026-03-02": "2026-03-02 keepa/product:1"}


@dg.job(name="daily_pipeline")
def _nothing() -> None: ...


def test_a_source_that_has_landed_waits_for_no_other(lake: Lake, instance: dg.DagsterInstance, tmp_path: Path) -> None:
    """Its own layers are run, and every model: the others' syncs are not there yet."""
    everything = build_definitions(pipeline_settings(tmp_path / "data", chosen_sources=()))
    land(lake, FIRST, NOW - ONE_DAY * 100)
    (request,), _ = ticked(lake, instance, everything, [PRODUCT, ORDERS])
    keys = {key.to_user_string() for key in request.asset_selection or ()}
    assert {"bronze/keepa/product", "raw/keepa_price", "mart/fct_order_item", "published/marts"} <= keys
    checks = {check.name for check in request.asset_check_keys or ()}
    assert "completeness" in checks
    assert "fct_sales_daily_key_is_unique" in checks
    assert CHECK not in checks  # about days that the run may not have
    assert not [key for key in keys if key.startswith(("airbyte/", "bronze/sp_api", "silver/sp_api", "raw/sp_api"))]


@pytest.mark.parametrize("job", ["daily_pipeline", "keepa_pipeline", "late_data"])
def test_every_job_that_requests_data_is_known(job: str) -> None:
    assert requests_data(job)
    assert not requests_data("landed_pipeline")
    assert runs_whole_days("landed_pipeline")
