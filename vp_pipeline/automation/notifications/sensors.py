"""The sensors of notifications: they look at what Dagster recorded, and queue messages.

They only write to the outbox, so a tick fails only when the disk does, or in production the lake; then its cursor stays
and nothing is lost. What was queued in a tick that failed is the same entry in the next one. All are off at first, and
look only at what happened after they were switched on.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import orjson

from vp_pipeline.automation.failure_reason import innermost_cause
from vp_pipeline.automation.jobs import LATE_DATA, runs_whole_days
from vp_pipeline.automation.notifications import messages
from vp_pipeline.automation.notifications.messages import Link, Message
from vp_pipeline.automation.notifications.queue import Alerts, cause_of
from vp_pipeline.automation.notifications.run_summary import RunSummary, summarize_run
from vp_pipeline.dagster_internals import tags as run_tags
from vp_pipeline.dagster_internals.run_statuses import FINISHED_BACKFILLS
from vp_pipeline.dagster_internals.ticks import failed_ticks

DELIVERY = "slack_delivery"
_EVENTS = (dg.DagsterEventType.RUN_START, dg.DagsterEventType.RUN_SUCCESS, dg.DagsterEventType.RUN_FAILURE)
_A_TICK = 50
_AUTOMATION_TAGS = (run_tags.SCHEDULE, run_tags.SENSOR, run_tags.AUTOMATION_CONDITION)
# A tick has the time at which it began, and may be recorded as failed long after.
_LONGEST_TICK = timedelta(hours=1)


def run_alerts(alerts: Alerts, ui_url: str) -> dg.SensorDefinition:
    """Start, success and failure of runs; a backfill as one message."""

    # Not a @run_status_sensor, and not dagster-slack's: those move their cursor on when the function fails, so a
    # message that could not be written would be lost; they do not look at `dagster/will_retry`, and know no backfills.
    @dg.sensor(
        name="run_alerts",
        minimum_interval_seconds=30,
        description="Queues messages about runs that started, succeeded or failed, once each.",
    )
    def watch(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        instance = context.instance
        cursor = _Cursor.read(context.cursor, instance)
        queued = 0
        for _, event_type, record in _changes(instance, cursor):
            queued += _queue_run(alerts, ui_url, instance, event_type, record, cursor)
        for backfill_id in sorted(cursor.backfills):
            queued += _queue_backfill(alerts, ui_url, instance, backfill_id, cursor)
        context.update_cursor(cursor.text)
        return dg.SkipReason(f"{queued} messages queued." if queued else "Nothing happened that needs a message.")

    return watch


def tick_alerts(alerts: Alerts, ui_url: str) -> dg.SensorDefinition:
    """Ticks of schedules and sensors that failed."""

    # Dagster has no event for a tick: a sensor has to look at them. Each look goes back an hour over what was seen, for
    # ticks that were slow to fail; the outbox knows which were reported.
    @dg.sensor(
        name="tick_alerts",
        minimum_interval_seconds=60,
        description="Queues messages about schedules and sensors whose tick failed, once a cause.",
    )
    def watch(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        now = datetime.now(UTC)
        on_since, seen = _times(context.cursor) or (now, now)
        after = max(on_since, seen - _LONGEST_TICK)
        queued = 0
        for tick in failed_ticks(context.instance, after, limit=_A_TICK):
            if tick.name == DELIVERY:
                continue  # its ticks show that Slack cannot be reached, and a message about that could not be sent
            reason = innermost_cause(tick.error) if tick.error else "It ended without a reason."
            link = Link("Open its ticks", f"{ui_url}/overview/{tick.kind}s")
            message = messages.failed_tick(tick.kind, tick.name, reason, link)
            queued += alerts.queue(f"tick:{tick.name}:{tick.tick_id}", message, cause_of("tick", tick.name, reason))
        context.update_cursor(f"{on_since.isoformat()} {now.isoformat()}")
        return dg.SkipReason(f"{queued} messages queued." if queued else "No tick failed.")

    return watch


def check_alerts(alerts: Alerts, ui_url: str) -> dg.SensorDefinition:
    """Checks that were evaluated outside of runs, such as freshness; `run_alerts` reports those of runs."""

    # Evaluations outside of runs belong to no run, so run_alerts cannot see them, and SQLite cannot list events of all
    # runs by number. The newest result of each check, by its number, can be had from every storage.
    @dg.sensor(
        name="check_alerts",
        minimum_interval_seconds=60,
        description="Queues messages about checks that failed or warned outside of a run, such as freshness.",
    )
    def watch(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        instance = context.instance
        assert context.repository_def is not None
        keys = sorted(context.repository_def.asset_graph.asset_check_keys, key=str)
        newest = instance.event_log_storage.get_latest_asset_check_execution_by_key(keys)
        last = max((record.id for record in newest.values()), default=0)
        seen = int(context.cursor) if context.cursor else last
        queued = 0
        for key, record in newest.items():
            evaluation = record.evaluation
            if record.id <= seen or record.run_id or evaluation is None or evaluation.passed:
                continue
            name = f"{key.name} of {key.asset_key.to_user_string()}"
            reason = evaluation.description or "It has no description."
            link = Link("Open the asset", f"{ui_url}/assets/{'/'.join(key.asset_key.path)}?view=checks")
            is_warning = evaluation.severity == dg.AssetCheckSeverity.WARN
            message = messages.check_outside_runs(name, reason, is_warning, link)
            queued += alerts.queue(f"check:{record.id}", message, cause_of("check", name, reason))
        context.update_cursor(str(max(last, seen)))
        return dg.SkipReason(f"{queued} messages queued." if queued else "No check failed outside of a run.")

    return watch


class _Cursor:
    """How far the run events were looked at, by type, and the backfills that are not over."""

    def __init__(self, seen: dict[str, int], backfills: set[str]) -> None:
        self.seen, self.backfills = seen, backfills

    @classmethod
    def read(cls, text: str | None, instance: dg.DagsterInstance) -> "_Cursor":
        if text:
            stored = orjson.loads(text)
            return cls(stored["seen"], set(stored["backfills"]))
        seen = {}
        for event_type in _EVENTS:
            newest = instance.fetch_run_status_changes(event_type, limit=1).records
            seen[event_type.value] = newest[0].storage_id if newest else 0
        return cls(seen, set())

    @property
    def text(self) -> str:
        return orjson.dumps({"seen": self.seen, "backfills": sorted(self.backfills)}).decode()


def _changes(
    instance: dg.DagsterInstance, cursor: _Cursor
) -> Iterator[tuple[int, dg.DagsterEventType, dg.RunRecord | None]]:
    """Run events since the cursor, oldest first, at most `_A_TICK` of a type; moves the cursor as they are taken."""
    found = [
        (record.storage_id, event_type, record.event_log_entry.run_id)
        for event_type in _EVENTS
        for record in instance.fetch_run_status_changes(
            dg.RunStatusChangeRecordsFilter(event_type, after_storage_id=cursor.seen[event_type.value]),  # type: ignore[arg-type]
            limit=_A_TICK,
            ascending=True,
        ).records
    ]
    for storage_id, event_type, run_id in sorted(found, key=lambda item: item[0]):
        yield storage_id, event_type, instance.get_run_record_by_id(run_id)
        cursor.seen[event_type.value] = storage_id


def _queue_run(
    alerts: Alerts,
    ui_url: str,
    instance: dg.DagsterInstance,
    event_type: dg.DagsterEventType,
    record: dg.RunRecord | None,
    cursor: _Cursor,
) -> bool:
    """Queues the message about a run's event, if it is due; a run of a backfill is left to the backfill's."""
    if record is None:
        return False  # deleted since
    run = record.dagster_run
    if run_tags.BACKFILL in run.tags:
        cursor.backfills.add(run.tags[run_tags.BACKFILL])
        return False
    if not _is_due(event_type, run):
        return False
    found = _run_message(event_type, run, summarize_run(instance, record), _run_link(ui_url, run.run_id))
    if found is None:
        return False
    moment, message, cause = found
    return alerts.queue(f"run:{run.run_id}:{moment}", message, cause)


def _is_due(event_type: dg.DagsterEventType, run: dg.DagsterRun) -> bool:
    if event_type == dg.DagsterEventType.RUN_START:
        # A run that is over when it is looked at is reported by its end; a retry started with its first try.
        return runs_whole_days(run.job_name) and not run.is_finished and run_tags.RETRY_NUMBER not in run.tags
    # A try that is followed by another is not the end: the last one is reported.
    return event_type != dg.DagsterEventType.RUN_FAILURE or run.tags.get(run_tags.WILL_RETRY) != "true"


def _run_message(
    event_type: dg.DagsterEventType, run: dg.DagsterRun, summary: RunSummary, link: Link
) -> tuple[str, Message, str | None] | None:
    """The moment in the life of the run, the message and its cause."""
    if event_type == dg.DagsterEventType.RUN_START:
        return "started", messages.started(summary, link), None
    if event_type == dg.DagsterEventType.RUN_SUCCESS and runs_whole_days(run.job_name):
        return "ended", messages.succeeded(summary, link), None
    # Whoever launches a run by hand sees it fail, unless its process is gone: then nothing shows that it ended.
    if event_type == dg.DagsterEventType.RUN_FAILURE and (_is_automated(run) or summary.failed_outside_steps):
        return "ended", messages.failed(summary, link), _cause(summary)
    if summary.warned or any(trouble.check for trouble in summary.failed):
        # Whoever launched it sees it fail; others work with what it checked.
        return "checks", messages.checks(summary, link), _cause(summary, "checks")
    return None


def _queue_backfill(
    alerts: Alerts, ui_url: str, instance: dg.DagsterInstance, backfill_id: str, cursor: _Cursor
) -> bool:
    """One message for a backfill that is over."""
    found = instance.get_backfill(backfill_id)
    records = instance.get_run_records(dg.RunsFilter(tags={run_tags.BACKFILL: backfill_id}))
    if any(not record.dagster_run.is_finished for record in records):
        return False
    if found is not None and found.status.value not in FINISHED_BACKFILLS:
        return False
    cursor.backfills.discard(backfill_id)
    last_tries = [
        record
        for record in sorted(records, key=lambda record: record.storage_id)
        if record.dagster_run.status == dg.DagsterRunStatus.FAILURE
        and record.dagster_run.tags.get(run_tags.WILL_RETRY) != "true"
    ]
    summaries = [summarize_run(instance, record) for record in last_tries]
    status = found.status.value if found else ("COMPLETED_FAILED" if summaries else "COMPLETED_SUCCESS")
    link = Link("Open the backfill", f"{ui_url}/runs/b/{backfill_id}")
    cause = _cause(summaries[0], "backfill") if summaries else None
    return alerts.queue(f"backfill:{backfill_id}", messages.backfill(backfill_id, status, summaries, link), cause)


def _is_automated(run: dg.DagsterRun) -> bool:
    """Whether nobody sees a run fail unless it is reported; whoever launches a run by hand watches it."""
    return (
        runs_whole_days(run.job_name) or run.job_name == LATE_DATA or any(tag in run.tags for tag in _AUTOMATION_TAGS)
    )


def _cause(summary: RunSummary, kind: str = "run") -> str:
    troubles = summary.failed or summary.warned
    first = troubles[0] if troubles else summary.first_failure
    return cause_of(kind, f"{first.step}\n{first.check}", first.reason)


def _run_link(ui_url: str, run_id: str) -> Link:
    return Link(f"Open run {run_id[:8]}", f"{ui_url}/runs/{run_id}")


def _times(cursor: str | None) -> tuple[datetime, datetime] | None:
    if not cursor:
        return None
    on_since, seen = (datetime.fromisoformat(part) for part in cursor.split(" "))
    return on_since, seen
