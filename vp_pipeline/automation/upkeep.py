"""The jobs that look after the pipeline itself: retention, and the weekly health report.

Here: jobs and schedules. Not here: the rules (`retention.py`) and the figures (`health.py`).
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import dagster as dg

from vp_pipeline.automation.health import health
from vp_pipeline.automation.notifications import messages
from vp_pipeline.automation.notifications.messages import Link
from vp_pipeline.automation.notifications.queue import Alerts
from vp_pipeline.automation.retention import Retention
from vp_pipeline.delivery.outbox import Box
from vp_pipeline.lake.objects import Lake


class RetentionConfig(dg.Config):
    """`dry_run`: only list what may go."""

    dry_run: bool = True


def retention_job(retention: Retention) -> dg.JobDefinition:
    """Lists what is old and needed by nothing; removes it when `dry_run` is false."""

    @dg.op(name="remove_what_is_old")
    def remove(context: dg.OpExecutionContext, config: RetentionConfig) -> None:
        if config.dry_run:
            found = retention.removable(context.instance)
            for item in found:
                context.log.info(f"May go: {item.kind} {item.name}: {item.why}.")
        else:
            found = retention.remove(context.instance, context.log.info)
        size = sum(item.size for item in found)
        done = "may go" if config.dry_run else "removed"
        context.log.info(f"{len(found)} things {done}, {size:,} bytes on the lake.")
        context.add_output_metadata({"things": len(found), "bytes": size, "dry_run": config.dry_run})

    @dg.job(name="retention", description="Removes what is old and needed by nothing. By default it only lists.")
    def retain() -> None:
        remove()

    return retain


def health_job(
    alerts: Alerts, ui_url: str, published: dg.AssetKey, lake: Lake, boxes: Sequence[Box]
) -> dg.JobDefinition:
    """Queues the health report; the delivery sensor sends it."""

    @dg.op(name="report_health")
    def tell(context: dg.OpExecutionContext) -> None:
        year, week, _ = datetime.now(UTC).isocalendar()
        fields = health(context.instance, published, lake, boxes)
        for name, text in fields.items():
            context.log.info(f"{name}: {text}")
        message = messages.report(f"Health of week {year}-W{week:02d}", fields, Link("Open Dagster", ui_url))
        # One report a run: whoever starts another one by hand wants another one.
        alerts.queue(f"health:{context.run_id}", message)

    @dg.job(name="health_report", description="What ran, what is missing and what was not delivered, to Slack.")
    def report() -> None:
        tell()

    return report


def upkeep_schedules(retention: dg.JobDefinition, health: dg.JobDefinition) -> list[dg.ScheduleDefinition]:
    """Weekly, both; retention by schedule removes."""
    ops = {"remove_what_is_old": {"config": {"dry_run": False}}}
    return [
        dg.ScheduleDefinition(
            name="retention_schedule",
            job=retention,
            cron_schedule="0 4 * * 0",
            execution_timezone="UTC",
            run_config={"ops": ops},
            description="Sundays 04:00 UTC. It removes; run the job by hand to see first what it would remove.",
        ),
        dg.ScheduleDefinition(
            name="health_report_schedule",
            job=health,
            cron_schedule="0 6 * * 1",
            execution_timezone="UTC",
            description="Mondays 06:00 UTC.",
        ),
    ]
