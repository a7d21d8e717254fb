"""The annotations of unresolved jobs and schedules are what Dagster builds."""

from typing import get_args

import dagster as dg

from vp_pipeline.dagster_internals.job_types import AssetJob, Schedule

DAYS = dg.DailyPartitionsDefinition("2026-01-01")


def test_they_are_what_dagster_builds() -> None:
    job = dg.define_asset_job("job", partitions_def=DAYS)
    assert type(job) is AssetJob
    assert type(dg.build_schedule_from_partitioned_job(dg.define_asset_job("another"))) in get_args(Schedule)
    assert type(dg.ScheduleDefinition(name="hourly", job=job, cron_schedule="0 * * * *")) in get_args(Schedule)
