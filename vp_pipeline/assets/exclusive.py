"""A run holds the lease from before its first step to its end, whatever launched it.

Here: the executor that does so, and what identifies a run: its holder and its process. Not here: the lease
(`warehouse/lease/`), and the end of a run whose process is gone (`automation/killed_runs.py`).
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager

import dagster as dg

from vp_pipeline.dagster_internals import tags as run_tags
from vp_pipeline.dagster_internals.errors import recorded_as_sentence
from vp_pipeline.dagster_internals.run_execution import executor_within
from vp_pipeline.failures import PipelineError
from vp_pipeline.partitions import days_of
from vp_pipeline.warehouse.lease.holder import Holder, Process
from vp_pipeline.warehouse.lease.lease import Lease, Report

# The process that executes a run; the prefix hides it in the UI.
PROCESS_TAG = ".dagster/vp_process"
# What launched a run, by the tag that names it.
_LAUNCHERS = {
    run_tags.BACKFILL: "backfill",
    run_tags.SCHEDULE: "schedule",
    run_tags.SENSOR: "sensor",
    run_tags.AUTOMATION_CONDITION: "an automation condition",
}


def exclusive_executor(lease: Lease, require_ready: Callable[[], None]) -> dg.ExecutorDefinition:
    """All steps in one process, one run at a time. The run's process is in its tags from the moment it starts.
    `require_ready` raises where something would stop the run."""

    @contextmanager
    def hold(instance: dg.DagsterInstance, run: dg.DagsterRun, report: Report) -> Iterator[None]:
        instance.add_run_tags(run.run_id, process_tags())
        with ExitStack() as held:
            with recorded_as_sentence(PipelineError):
                require_ready()
                held.enter_context(lease.hold(holder_of(run), report))
            yield

    return executor_within(hold)


def process_tags() -> dict[str, str]:
    """The tag of a run that this process executes."""
    return {PROCESS_TAG: str(Process.own())}


def holder_of(run: dg.DagsterRun) -> Holder:
    """This process, as the one that executes a run."""
    days = days_of(run.tags)
    return Holder(_launcher(run.tags), "" if days is None else " to ".join(dict.fromkeys(days)), run.run_id)


def _launcher(tags: Mapping[str, str]) -> str:
    found = next((tag for tag in _LAUNCHERS if tag in tags), None)
    if found is None:
        return "a run from the UI"
    name = tags[found] if found != run_tags.AUTOMATION_CONDITION else ""
    return f"{_LAUNCHERS[found]} {name}".strip()
