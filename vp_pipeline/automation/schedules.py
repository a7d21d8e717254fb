"""The schedules. They are off until someone switches them on."""

import dagster as dg
from dagster._core.definitions.partitions.partitioned_schedule import UnresolvedPartitionedAssetScheduleDefinition
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

Schedule = dg.ScheduleDefinition | UnresolvedPartitionedAssetScheduleDefinition


def daily_schedule(job: UnresolvedAssetJobDefinition) -> Schedule:
    """At 00:10 UTC, for the day that has just finished: ten minutes let late answers of the old day in."""
    return dg.build_schedule_from_partitioned_job(
        job,
        name="daily_pipeline_schedule",
        hour_of_day=0,
        minute_of_hour=10,
        description="00:10 UTC, for the day just finished.",
    )


def freshness_schedule(job: UnresolvedAssetJobDefinition) -> Schedule:
    """At 02:10 UTC, two hours after the day's run began."""
    return dg.ScheduleDefinition(
        name="freshness_schedule",
        job=job,
        cron_schedule="10 2 * * *",
        execution_timezone="UTC",
        description="02:10 UTC: is the day just finished there, in every layer?",
    )
