"""The weekly health report: what ran, what is missing, what was not delivered, as one message."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster._core.storage.dagster_run import FINISHED_STATUSES

from vp_pipeline.automation.jobs import WHOLE_DAYS
from vp_pipeline.automation.notifications.run_summary import summarize_run
from vp_pipeline.delivery.outbox import Box
from vp_pipeline.lake.objects import Lake
from vp_pipeline.partitions import days_between, newest_finished_day, parse_days

WEEK = timedelta(days=7)


def health(
    instance: dg.DagsterInstance, published: dg.AssetKey, lake: Lake, boxes: Sequence[Box], now: datetime | None = None
) -> Mapping[str, str]:
    """What is worth knowing of the last seven days, as titles and texts."""
    now = now or datetime.now(UTC)
    last = newest_finished_day(now)
    records = instance.get_run_records(
        dg.RunsFilter(statuses=list(FINISHED_STATUSES), updated_after=now - WEEK), order_by="id", ascending=True
    )
    days = [record for record in records if record.dagster_run.job_name in WHOLE_DAYS]
    ended = Counter(record.dagster_run.status for record in days)
    accounts = [summarize_run(instance, record) for record in records]
    there = set(parse_days(instance.get_materialized_partitions(published)))
    missing = [day for day in days_between(last - WEEK + timedelta(days=1), last) if day not in there]
    failed = Counter(trouble.check for account in accounts for trouble in account.failed if trouble.check)
    warned = Counter(trouble.check or trouble.step for account in accounts for trouble in account.warned)
    entries = [entry for box in boxes for entry in box.entries()]
    waiting = [entry for entry in entries if entry.is_open or entry.state == "refused"]
    repeats = sum(len(entry.repeats) for entry in entries if entry.changed_at >= now - WEEK)
    objects = lake.list("")
    seconds = sorted(a.seconds for a in accounts if a.job in WHOLE_DAYS)
    return {
        "Daily runs": f"{ended[dg.DagsterRunStatus.SUCCESS]} succeeded, {ended[dg.DagsterRunStatus.FAILURE]} failed",
        "Typical duration": f"{seconds[len(seconds) // 2]:.0f} s" if seconds else "no run",
        "Days not published": ", ".join(map(str, missing)) or "none of the last seven",
        "Failed checks": _told(failed),
        "Warning checks": _told(warned),
        "Not delivered": ", ".join(f"{entry.key} ({entry.reason or entry.state})" for entry in waiting[:5])
        or "nothing",
        "Repeats not sent": f"{repeats}",
        "Lake": f"{len(objects):,} objects, {sum(o.size for o in objects) / 1e6:,.1f} MB",
    }


def _told(checks: Counter[str]) -> str:
    return ", ".join(f"{name} ({count}×)" for name, count in checks.most_common(5)) or "none"
