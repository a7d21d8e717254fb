"""What a run did, read from its events: the content of messages and of the health report.

Here: the summary. Not here: its text (`messages.py`), and when a message is due (`sensors.py`).
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

import dagster as dg

from vp_pipeline.assets.keys import DBT_LAYERS, PUBLISHED
from vp_pipeline.assets.metadata import RESTATED
from vp_pipeline.automation.failure_reason import failure_reason, why_not_built
from vp_pipeline.dagster_internals import tags as run_tags
from vp_pipeline.partitions import days_of

_NO_REASON = "It ended without a reason."
THE_RUN = "the run"


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
    `published_rows`: None where nothing was published in it. `restated`: models that were built as a whole because
    their code has changed, with the reason.
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
    restated: Mapping[str, str] = field(default_factory=dict)

    @property
    def first_failure(self) -> Trouble:
        """What failed first: a check that failed turns a later step red, so the red step is not the cause."""
        return self.failed[0] if self.failed else Trouble(THE_RUN, None, _NO_REASON)

    @property
    def failed_outside_steps(self) -> bool:
        """Whether the run failed and no step of it: its process was killed, or could not start."""
        return self.first_failure.step == THE_RUN and bool(self.failed)

    @property
    def days_text(self) -> str:
        """The days as text, such as `2026-03-01 to 2026-03-04`."""
        if self.days is None:
            return "no day"
        first, last = self.days
        return first if first == last else f"{first} to {last}"


def summarize_run(instance: dg.DagsterInstance, record: dg.RunRecord) -> RunSummary:
    """The summary of a run that has ended, or of one that is still running, up to now."""
    run = record.dagster_run
    findings = _Findings()
    for entry in instance.all_logs(run.run_id, of_type=set(_READ)):
        event = entry.get_dagster_event()
        _READ[event.event_type](findings, event)
    began, ended = record.start_time, record.end_time or datetime.now(UTC).timestamp()
    return RunSummary(
        run_id=run.run_id,
        job=run.job_name,
        days=days_of(run.tags),
        seconds=ended - began if began else 0.0,
        tries=int(run.tags.get(run_tags.RETRY_NUMBER, 0)) + 1,
        models=len(findings.models),
        tests=findings.tests(),
        published_rows=findings.published_rows,
        warned=tuple(findings.warned.values()),
        failed=tuple(findings.failed.values()),
        restated=findings.restated,
    )


# A test of several days counts once, by its worst result: the later of these.
_RESULTS = ("passed", "warned", "failed")


@dataclass
class _Findings:
    """What the events of a run show. Troubles by step and check: each is kept as it came first."""

    models: set[dg.AssetKey] = field(default_factory=set)
    worst: dict[tuple[dg.AssetKey, str], int] = field(default_factory=dict)
    warned: dict[tuple[str, str | None], Trouble] = field(default_factory=dict)
    failed: dict[tuple[str, str | None], Trouble] = field(default_factory=dict)
    published_rows: int | None = None
    restated: dict[str, str] = field(default_factory=dict)

    def materialized(self, event: dg.DagsterEvent) -> None:
        key = event.asset_key
        assert key is not None
        if key.path[0] in DBT_LAYERS:
            self.models.add(key)
            why = event.step_materialization_data.materialization.metadata.get(RESTATED)
            if why is not None:
                self.restated[key.path[-1]] = str(why.value)
        if key == PUBLISHED:
            self.published_rows = _rows(event)

    def checked(self, event: dg.DagsterEvent) -> None:
        check = event.asset_check_evaluation_data
        is_warning = check.severity == dg.AssetCheckSeverity.WARN
        if check.asset_key.path[0] in DBT_LAYERS:
            test, result = (check.asset_key, check.check_name), 0 if check.passed else 1 if is_warning else 2
            self.worst[test] = max(self.worst.get(test, 0), result)
        if not check.passed:
            name = f"{check.check_name} of {check.asset_key.to_user_string()}"
            trouble = Trouble(event.step_key or "outside of a run", name, check.description or "It has no description.")
            (self.warned if is_warning else self.failed).setdefault((trouble.step, name), trouble)

    def observed(self, event: dg.DagsterEvent) -> None:
        reason = why_not_built(event)
        if reason is not None:
            assert event.asset_key is not None
            step = f"{event.step_key} ({event.asset_key.to_user_string()})"
            self.failed.setdefault((step, None), Trouble(step, None, reason))

    def step_failed(self, event: dg.DagsterEvent) -> None:
        step = event.step_key or "a step"
        self.failed.setdefault((step, None), Trouble(step, None, failure_reason(event)))

    def run_failed(self, event: dg.DagsterEvent) -> None:
        # A check that failed turns a step red: without one the run ended for a reason of its own.
        if all(trouble.check for trouble in self.failed.values()):
            own = Trouble(THE_RUN, None, event.message or _NO_REASON)
            self.failed = {(own.step, None): own, **self.failed}

    def tests(self) -> Mapping[str, int]:
        counts = Counter(self.worst.values())
        return {name: counts[result] for result, name in enumerate(_RESULTS)}


_READ: Mapping[dg.DagsterEventType, Callable[[_Findings, dg.DagsterEvent], None]] = {
    dg.DagsterEventType.ASSET_MATERIALIZATION: _Findings.materialized,
    dg.DagsterEventType.ASSET_CHECK_EVALUATION: _Findings.checked,
    dg.DagsterEventType.ASSET_OBSERVATION: _Findings.observed,
    dg.DagsterEventType.STEP_FAILURE: _Findings.step_failed,
    dg.DagsterEventType.RUN_FAILURE: _Findings.run_failed,
}


def _rows(event: dg.DagsterEvent) -> int | None:
    rows = event.step_materialization_data.materialization.metadata.get("dagster/row_count")
    return int(cast(Any, rows).value) if rows else None
