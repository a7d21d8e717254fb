"""What a run did, read from its events: the content of messages and of the health report.

Here: the summary. Not here: its text (`messages.py`), and when a message is due (`sensors.py`).
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import dagster as dg
from dagster._core.events import StepMaterializationData
from dagster._core.storage.dagster_run import RunRecord
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
    RETRY_NUMBER_TAG,
)

from vp_pipeline.assets.keys import DBT_LAYERS, PUBLISHED
from vp_pipeline.automation.failure_reason import failure_reason

_EVENT_TYPES = {
    dg.DagsterEventType.ASSET_MATERIALIZATION,
    dg.DagsterEventType.ASSET_CHECK_EVALUATION,
    dg.DagsterEventType.STEP_FAILURE,
    dg.DagsterEventType.RUN_FAILURE,
}
_NO_REASON = "It ended without a reason."


@dataclass(frozen=True)
class Trouble:
    """A step or check that failed or warned: the step it happened in, the check if it was one, and the reason."""

    step: str
    check: str | None
    reason: str


@dataclass(frozen=True)
class RunSummary:
    """A run. `days`: its first and last day; None where it has none. `seconds`: since it started.

    `tests`: dbt tests as `passed`, `warned`, `failed`, a test of several days once, by its worst result.
    `published_rows`: None where nothing was published in it.
    """

    run_id: str
    job: str
    days: tuple[str, str] | None
    seconds: float
    tries: int
    models: int
    tests: Mapping[str, int]
    published_rows: int | None
    warned: tuple[Trouble, ...]
    failed: tuple[Trouble, ...]

    @property
    def first_failure(self) -> Trouble:
        """What failed first: a check that failed turns a later step red, so the red step is not the cause."""
        return self.failed[0] if self.failed else Trouble("the run", None, _NO_REASON)

    @property
    def days_text(self) -> str:
        """The days as text, such as `2026-03-01 to 2026-03-04`."""
        if self.days is None:
            return "no day"
        first, last = self.days
        return first if first == last else f"{first} to {last}"


def days_of(tags: Mapping[str, str]) -> tuple[str, str] | None:
    """The first and last day of a run, by its tags."""
    if PARTITION_NAME_TAG in tags:
        return tags[PARTITION_NAME_TAG], tags[PARTITION_NAME_TAG]
    if ASSET_PARTITION_RANGE_START_TAG in tags:
        return tags[ASSET_PARTITION_RANGE_START_TAG], tags[ASSET_PARTITION_RANGE_END_TAG]
    return None


def summarize_run(instance: dg.DagsterInstance, record: RunRecord) -> RunSummary:
    """The summary of a run that ended, or of one that is still running, up to now."""
    run = record.dagster_run
    models: set[dg.AssetKey] = set()
    worst: dict[tuple[dg.AssetKey, str], int] = {}
    warned: dict[tuple[str, str | None], Trouble] = {}
    failed: dict[tuple[str, str | None], Trouble] = {}
    published_rows = None
    for entry in instance.all_logs(run.run_id, of_type=_EVENT_TYPES):
        event = entry.get_dagster_event()
        match event.event_type:
            case dg.DagsterEventType.ASSET_MATERIALIZATION:
                key = event.asset_key
                assert key is not None
                if key.path[0] in DBT_LAYERS:
                    models.add(key)
                if key == PUBLISHED:
                    published_rows = _rows(event)
            case dg.DagsterEventType.ASSET_CHECK_EVALUATION:
                found = event.asset_check_evaluation_data
                named = f"{found.check_name} of {found.asset_key.to_user_string()}"
                reason = found.description or "It has no description."
                trouble = Trouble(event.step_key or "outside of a run", named, reason)
                is_warning = found.severity == dg.AssetCheckSeverity.WARN
                if found.asset_key.path[0] in DBT_LAYERS:
                    result = 0 if found.passed else (1 if is_warning else 2)
                    test = (found.asset_key, found.check_name)
                    worst[test] = max(worst.get(test, 0), result)
                if not found.passed:
                    (warned if is_warning else failed).setdefault((trouble.step, named), trouble)
            case dg.DagsterEventType.STEP_FAILURE:
                step = event.step_key or "a step"
                failed.setdefault((step, None), Trouble(step, None, failure_reason(event)))
            case dg.DagsterEventType.RUN_FAILURE if not failed:
                failed["the run", None] = Trouble("the run", None, event.message or _NO_REASON)
    counts = Counter(worst.values())
    began, ended = record.start_time, record.end_time or datetime.now(UTC).timestamp()
    return RunSummary(
        run_id=run.run_id,
        job=run.job_name,
        days=days_of(run.tags),
        seconds=ended - began if began else 0.0,
        tries=int(run.tags.get(RETRY_NUMBER_TAG, 0)) + 1,
        models=len(models),
        tests={"passed": counts[0], "warned": counts[1], "failed": counts[2]},
        published_rows=published_rows,
        warned=tuple(warned.values()),
        failed=tuple(failed.values()),
    )


def _rows(event: dg.DagsterEvent) -> int | None:
    metadata = cast(StepMaterializationData, event.event_specific_data).materialization.metadata
    found = metadata.get("dagster/row_count")
    return int(cast(Any, found).value) if found else None
