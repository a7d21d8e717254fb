"""The schedules, driven by real evaluations."""

import dataclasses
from datetime import UTC, date, datetime
from itertools import pairwise

import dagster as dg
import pytest
from dagster._utils.schedules import schedule_execution_time_iterator

from vp_pipeline.automation.schedules import late_data
from vp_pipeline.partitions import daily_partitions
from vp_pipeline.quality.freshness import freshness_checks
from vp_pipeline.sources.keepa.source import PRODUCT

FRESH = freshness_checks([dg.AssetKey(["published", "marts"])])
TICKS = [
    (datetime(2026, 1, 1, 0, 10, tzinfo=UTC), "2025-12-31"),
    (datetime(2026, 3, 1, 0, 10, tzinfo=UTC), "2026-02-28"),
    (datetime(2028, 2, 29, 0, 10, tzinfo=UTC), "2028-02-28"),
    (datetime(2028, 3, 1, 0, 10, tzinfo=UTC), "2028-02-29"),
    (datetime(2026, 3, 8, 0, 10, tzinfo=UTC), "2026-03-07"),  # clocks change in America later that day
    (datetime(2026, 3, 9, 0, 10, tzinfo=UTC), "2026-03-08"),
    (datetime(2026, 3, 29, 0, 10, tzinfo=UTC), "2026-03-28"),  # and in Europe
    (datetime(2026, 3, 30, 0, 10, tzinfo=UTC), "2026-03-29"),
    (datetime(2026, 10, 25, 0, 10, tzinfo=UTC), "2026-10-24"),
    (datetime(2026, 11, 1, 0, 10, tzinfo=UTC), "2026-10-31"),
    (datetime(2026, 11, 2, 0, 10, tzinfo=UTC), "2026-11-01"),
]


@pytest.mark.parametrize(("tick", "day"), TICKS)
def test_it_asks_for_the_day_just_finished(
    definitions: dg.Definitions, instance: dg.DagsterInstance, tick: datetime, day: str
) -> None:
    schedule = definitions.resolve_schedule_def("daily_pipeline_schedule")
    context = dg.build_schedule_context(
        instance, scheduled_execution_time=tick, repository_def=definitions.get_repository_def()
    )
    (request,) = schedule.evaluate_tick(context).run_requests or []
    assert request.partition_key == day
    assert request.tags["dagster/partition"] == day


def test_its_ticks_are_a_day_apart_when_clocks_change(definitions: dg.Definitions) -> None:
    schedule = definitions.resolve_schedule_def("daily_pipeline_schedule")
    for begin in (datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 10, 24, tzinfo=UTC)):
        ticks = schedule_execution_time_iterator(begin.timestamp(), str(schedule.cron_schedule), "UTC")
        moments = [next(ticks).astimezone(UTC) for _ in range(4)]
        assert [moment.strftime("%H:%M") for moment in moments] == ["00:10"] * 4
        assert {(b - a).total_seconds() for a, b in pairwise(moments)} == {86_400}


def test_it_ticks_at_ten_past_midnight_utc(definitions: dg.Definitions) -> None:
    schedule = definitions.resolve_schedule_def("daily_pipeline_schedule")
    assert schedule.cron_schedule == "10 0 * * *"
    assert schedule.execution_timezone == "UTC"
    assert schedule.job_name == "daily_pipeline"


def test_everything_is_off_at_first(definitions: dg.Definitions) -> None:
    repository = definitions.get_repository_def()
    assert {s.default_status for s in repository.schedule_defs} == {dg.DefaultScheduleStatus.STOPPED}
    on = [s.name for s in repository.sensor_defs if s.default_status != dg.DefaultSensorStatus.STOPPED]
    assert on == ["killed_runs"]  # it starts nothing
    assert len(repository.sensor_defs) == 9  # Dagster's own automation sensor is not among them


PARTITIONS = daily_partitions(date(2026, 1, 1))
WINDOW = dataclasses.replace(PRODUCT, name="orders", replay="window")


def test_without_a_window_stream_there_is_no_weekly_schedule(definitions: dg.Definitions) -> None:
    assert late_data([PRODUCT], 7, PARTITIONS, date(2026, 1, 1), FRESH) == ([], [])
    assert "late_data_schedule" not in {s.name for s in definitions.get_repository_def().schedule_defs}


@pytest.mark.parametrize(
    ("tick", "first", "last"),
    [
        (datetime(2026, 3, 2, 2, tzinfo=UTC), "2026-02-23", "2026-03-01"),
        (datetime(2028, 3, 6, 2, tzinfo=UTC), "2028-02-28", "2028-03-05"),  # over a leap day
        (datetime(2026, 3, 30, 2, tzinfo=UTC), "2026-03-23", "2026-03-29"),  # the day after clocks changed
        (datetime(2026, 1, 5, 2, tzinfo=UTC), "2026-01-01", "2026-01-04"),  # not before the first partition
    ],
)
def test_with_one_its_last_days_are_asked_for_again(
    instance: dg.DagsterInstance, tick: datetime, first: str, last: str
) -> None:
    updated = dataclasses.replace(PRODUCT, name="returns", replay="updated")  # late changes are in a day of their own
    (job,), (schedule,) = late_data([PRODUCT, WINDOW, updated], 7, PARTITIONS, date(2026, 1, 1), FRESH)
    assert (job.name, schedule.cron_schedule, schedule.execution_timezone) == ("late_data", "0 2 * * 1", "UTC")
    context = dg.build_schedule_context(instance, scheduled_execution_time=tick)
    (request,) = schedule.evaluate_tick(context).run_requests or []
    assert request.tags["dagster/asset_partition_range_start"] == first
    assert request.tags["dagster/asset_partition_range_end"] == last
    assert request.run_config == {"ops": {"airbyte_keepa_orders": {"config": {"resync": True}}}}
