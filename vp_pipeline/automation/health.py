"""The weekly health report: what ran, what is missing, what was not delivered, as one message.

Here: its figures, and the job that queues it. Not here: its schedule (`schedules.py`).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg

from vp_pipeline.automation.jobs import WITHOUT_LEASE, runs_whole_days
from vp_pipeline.automation.notifications import messages
from vp_pipeline.automation.notifications.messages import Link
from vp_pipeline.automation.notifications.queue import Alerts
from vp_pipeline.automation.notifications.run_summary import RunSummary, summarize_run
from vp_pipeline.dagster_internals import run_statuses
from vp_pipeline.delivery.outbox import Box
from vp_pipeline.lake.objects import Lake
from vp_pipeline.partitions import days_between, newest_finished_day, parse_days

WEEK = timedelta(days=7)
_LISTED = 5


def health_job(
    alerts: Alerts, ui_url: str, published: dg.AssetKey, lake: Lake, boxes: Sequence[Box]
) -> dg.JobDefinition:
    """Queues the health report; the delivery sensor sends it."""

    @dg.op(name="report_health")
    def queue_report(context: dg.OpExecutionContext) -> None:
        year, week, _ = datetime.now(UTC).isocalendar()
        fields = health(context.instance, published, lake, boxes)
        for name, text in fields.items():
            context.log.info(f"{name}: {text}")
        message = messages.report(f"Health of week {year}-W{week:02d}", fields, Link("Open Dagster", ui_url))
        # One report per run: whoever starts another one by hand wants another one.
        alerts.queue(f"health:{context.run_id}", message)

    @dg.job(
        name="health_report",
        description="What ran, what is missing and what was not delivered, to Slack.",
        executor_def=dg.in_process_executor,
        tags=WITHOUT_LEASE,
    )
    def report() -> None:
        queue_report()

    return report


def health(
    instance: dg.DagsterInstance, published: dg.AssetKey, lake: Lake, boxes: Sequence[Box], now: datetime | None = None
) -> Mapping[str, str]:
    """What is worth knowing of the last seven days, as titles and texts."""
    now = now or datetime.now(UTC)
    ended = dg.RunsFilter(statuses=list(run_statuses.FINISHED), updated_after=now - WEEK)
    records = instance.get_run_records(ended, order_by="id", ascending=True)
    summaries = [summarize_run(instance, record) for record in records]
    return {
        **_daily_runs(records, summaries),
        "Days not published": _listed(_missing_days(instance, published, now), otherwise="none of the last seven"),
        **_checks(summaries),
        **_deliveries(boxes, since=now - WEEK),
        "Lake": _size(lake),
    }


def _daily_runs(records: Iterable[dg.RunRecord], summaries: Iterable[RunSummary]) -> Mapping[str, str]:
    runs = [record.dagster_run for record in records]
    statuses = Counter(run.status for run in runs if runs_whole_days(run.job_name))
    seconds = sorted(summary.seconds for summary in summaries if runs_whole_days(summary.job))
    succeeded, failed = statuses[dg.DagsterRunStatus.SUCCESS], statuses[dg.DagsterRunStatus.FAILURE]
    return {
        "Daily runs": f"{succeeded} succeeded, {failed} failed",
        "Typical duration": f"{seconds[len(seconds) // 2]:.0f} s" if seconds else "no run",
    }


def _missing_days(instance: dg.DagsterInstance, published: dg.AssetKey, now: datetime) -> Iterable[str]:
    last = newest_finished_day(now)
    there = set(parse_days(instance.get_materialized_partitions(published)))
    return [f"{day}" for day in days_between(last - WEEK + timedelta(days=1), last) if day not in there]


def _checks(summaries: Sequence[RunSummary]) -> Mapping[str, str]:
    failed = Counter(trouble.check for summary in summaries for trouble in summary.failed if trouble.check)
    warned = Counter(trouble.check or trouble.step for summary in summaries for trouble in summary.warned)
    return {"Failed checks": _most_common(failed), "Warning checks": _most_common(warned)}


def _deliveries(boxes: Sequence[Box], since: datetime) -> Mapping[str, str]:
    entries = [entry for box in boxes for entry in box.entries()]
    waiting = [entry for entry in entries if entry.is_open or entry.state == "refused"]
    listed = [f"{entry.key} ({entry.reason or entry.state})" for entry in waiting[:_LISTED]]
    repeats = sum(len(entry.repeats) for entry in entries if entry.changed_at >= since)
    return {"Not delivered": _listed(listed, otherwise="nothing"), "Repeats not sent": f"{repeats}"}


def _size(lake: Lake) -> str:
    objects = lake.list("")
    return f"{len(objects):,} objects, {sum(info.size for info in objects) / 1e6:,.1f} MB"


def _most_common(checks: Counter[str]) -> str:
    return _listed([f"{name} ({count}×)" for name, count in checks.most_common(_LISTED)], otherwise="none")


def _listed(texts: Iterable[str], *, otherwise: str) -> str:
    return ", ".join(texts) or otherwise
