"""Every schedule. They are off until someone switches them on."""

from collections.abc import Iterable
from datetime import date

import dagster as dg

from vp_pipeline.automation.jobs import LATE_DATA, late_data_job
from vp_pipeline.dagster_internals import tags
from vp_pipeline.dagster_internals.job_types import AssetJob, Schedule
from vp_pipeline.partitions import ONE_DAY, newest_finished_day
from vp_pipeline.sources.source import Stream


def daily_schedule(job: AssetJob) -> Schedule:
    """At 00:10 UTC, for the day that has just finished: ten minutes allow for late responses of the old day."""
    return dg.build_schedule_from_partitioned_job(
        job,
        name="daily_pipeline_schedule",
        hour_of_day=0,
        minute_of_hour=10,
        description="00:10 UTC, for the day just finished.",
    )


def late_data(
    streams: Iterable[Stream],
    days: int,
    partitions: dg.PartitionsDefinition,
    start: date,
    freshness: dg.AssetChecksDefinition,
) -> tuple[list[AssetJob], list[dg.ScheduleDefinition]]:
    """The weekly job and schedule that sync the last `days` days of `window` streams again; none without such a stream.

    A `snapshot` stream cannot be synced for a past day, and of an `updated` stream late changes are in the day on which
    they were made. So without a `window` stream there is nothing to do, and a schedule that does nothing would be
    misleading.
    """
    windowed = [stream for stream in streams if stream.replay == "window"]
    if not windowed:
        return [], []
    job = late_data_job(windowed, days, partitions, freshness)

    # Not build_schedule_from_partitioned_job: that requests one partition, and the days are one run here.
    @dg.schedule(
        job=job,
        name=f"{LATE_DATA}_schedule",
        cron_schedule="0 2 * * 1",
        execution_timezone="UTC",
        description=f"Mondays 02:00 UTC: the last {days} finished days again.",
    )
    def weekly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        last = newest_finished_day(context.scheduled_execution_time)
        first = max(last - (days - 1) * ONE_DAY, start)
        if first > last:
            return dg.SkipReason(f"No day is over since {start} (VP_START_DATE).")
        steps = [f"airbyte_{stream.source}_{stream.name}" for stream in windowed]
        return dg.RunRequest(
            run_key=f"{LATE_DATA}:{last}",
            tags={tags.PARTITION_RANGE_START: f"{first}", tags.PARTITION_RANGE_END: f"{last}"},
            # Otherwise a finished sync is used again.
            run_config={"ops": {step: {"config": {"resync": True}} for step in steps}},
        )

    return [job], [weekly]


def freshness_schedule(job: AssetJob) -> Schedule:
    """At 02:10 UTC, two hours after the day's run began."""
    return dg.ScheduleDefinition(
        name="freshness_schedule",
        job=job,
        cron_schedule="10 2 * * *",
        execution_timezone="UTC",
        description="02:10 UTC: is the day just finished there, in every layer?",
    )


def retention_schedule(job: dg.JobDefinition) -> Schedule:
    """Weekly; unlike the job by default, it deletes."""
    return dg.ScheduleDefinition(
        name="retention_schedule",
        job=job,
        cron_schedule="0 4 * * 0",
        execution_timezone="UTC",
        run_config={"ops": {"remove_what_is_old": {"config": {"dry_run": False}}}},
        description="Sundays 04:00 UTC. It deletes; run the job by hand to see first what it would delete.",
    )


def health_schedule(job: dg.JobDefinition) -> Schedule:
    """Weekly, before the working week begins."""
    return dg.ScheduleDefinition(
        name="health_report_schedule",
        job=job,
        cron_schedule="0 6 * * 1",
        execution_timezone="UTC",
        description="Mondays 06:00 UTC.",
    )
