"""The daemon's own evaluations: scheduled ticks, and ticks that fail, on a real instance."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from vp_pipeline.sandbox.services.server import Services
from vp_pipeline_tests.end_to_end.night import Night, a_night

pytestmark = pytest.mark.integration


@pytest.fixture
def services() -> Iterator[Services]:
    with Services() as services:
        yield services


@pytest.fixture
def night(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, services: Services) -> Iterator[Night]:
    with a_night(environment, monkeypatch, services.variables()) as night:
        yield night


def test_the_scheduler_asks_for_the_day_just_finished(night: Night) -> None:
    night.switch_on("daily_pipeline_schedule", "retention_schedule", "health_report_schedule")
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).replace(hour=0, minute=11)
    night.tick_schedules(tomorrow)
    daily = [run for run in night.waiting() if run.job_name == "daily_pipeline"]
    assert [run.tags["dagster/partition"] for run in daily] == [str(tomorrow.date() - timedelta(days=1))]
    assert daily[0].tags["dagster/schedule_name"] == "daily_pipeline_schedule"
    night.tick_schedules(tomorrow + timedelta(minutes=5))
    assert len([run for run in night.waiting() if run.job_name == "daily_pipeline"]) == 1


def test_a_tick_that_fails_is_one_message_and_bronze_follows_three_days(night: Night, services: Services) -> None:
    night.switch_on("landed_syncs", "tick_alerts", "slack_delivery", "bronze_follow_up")
    record = Path(night.lake.location("bronze/keepa/product/_syncs/run_date=2026-03-01.json"))
    record.parent.mkdir(parents=True)
    record.write_text("{ not a record")
    import os

    os.utime(record, (1e9, 1e9))
    for _ in range(2):
        assert night.tick("landed_syncs")["landed_syncs"].status.value == "FAILURE"
    night.tick("tick_alerts", "slack_delivery")
    night.tick("tick_alerts", "slack_delivery")
    (message,) = services.slack.messages
    assert message["text"].startswith("🔴 The sensor landed_syncs failed")
    assert "run_date=2026-03-01.json is no JSON" in message["text"]
    record.unlink()
    assert night.tick("landed_syncs")["landed_syncs"].status.value == "SKIPPED"

    # Three days of bronze that are landed in one run of bronze alone.
    from vp_pipeline.assets.keys import bronze_key
    from vp_pipeline.partitions import partition_tags
    from vp_pipeline.sources.keepa.source import PRODUCT

    days = [datetime(2026, 3, n, tzinfo=UTC).date() for n in (1, 2, 3)]
    for day in days:
        night.airbyte_lands(str(day))
    job = night.definitions.resolve_implicit_global_asset_job_def()
    done = job.execute_in_process(
        instance=night.instance, asset_selection=[bronze_key(PRODUCT)], tags=partition_tags(days)
    )
    assert done.success
    tick = night.tick("bronze_follow_up")["bronze_follow_up"]
    assert len(tick.run_ids) == 3
    runs = [run for run in night.waiting() if run.job_name == "landed_pipeline"]
    assert sorted(run.tags["dagster/partition"] for run in runs) == ["2026-03-01", "2026-03-02", "2026-03-03"]
    for run in runs:
        assert run.tags["vp/follows"] == "bronze/keepa/product"
        assert bronze_key(PRODUCT) not in (run.asset_selection or ())
    assert night.tick("landed_syncs")["landed_syncs"].run_ids == []  # bronze holds them already
