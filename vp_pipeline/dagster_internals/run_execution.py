"""How a run is executed in one process: event by event, known to the UI as a run of the code location, and within
something that it holds meanwhile.

`JobDefinition.execute_in_process` is public, but returns the events when all is over, and makes a run without an
origin: the UI could not re-execute it. Of executors Dagster's own are public, and no way to hold something from before
the first step of a run to its end: a resource is held by one step at a time, or by none that needs it.

Private names:

- `InMemoryJob`, `execute_run_iterator`: execution of a run that exists already, event by event.
  Guard: `dagster_internals/test_run_execution.py::test_events_come_while_the_run_executes`
- `RemoteRepositoryOrigin`, `location_origins_from_yaml_paths`: a run's link to the code location in workspace.yaml.
  Guard: `end_to_end/test_command_line.py::test_a_day_runs_shows_and_runs_again_without_a_change`
- `PlanOrchestrationContext`, `ExecutionPlan`, `RetryMode`: the types of an executor's methods.
  Guard: `dagster_internals/test_run_execution.py::test_a_run_is_within_what_it_holds`
- `raise_execution_interrupts`: an interrupt ends the wait at once, as it ends a step.
  Guard: `dagster_internals/test_run_execution.py::test_an_interrupt_ends_the_wait`
- `LOG_RECORD_METADATA_ATTR`: where a line of a run's log has its text, before a handler of the instance stores it.
  Guard: `dagster_internals/test_run_execution.py::test_a_step_below_a_failed_one_names_it_once`
"""

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Set
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any, cast

import dagster as dg
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.errors import raise_execution_interrupts
from dagster._core.execution.api import execute_run_iterator
from dagster._core.execution.context.system import PlanOrchestrationContext
from dagster._core.execution.plan.plan import ExecutionPlan
from dagster._core.execution.retries import RetryMode
from dagster._core.log_manager import LOG_RECORD_METADATA_ATTR
from dagster._core.remote_origin import RemoteRepositoryOrigin
from dagster._core.workspace.load import location_origins_from_yaml_paths

# What a run holds: made from its instance, the run, and what writes to the run's log.
Hold = Callable[[dg.DagsterInstance, dg.DagsterRun, Callable[[str], None]], AbstractContextManager[None]]


def create_run(
    instance: dg.DagsterInstance,
    job: dg.JobDefinition,
    workspace: Path,
    *,
    run_config: Mapping[str, object],
    tags: Mapping[str, str],
    selection: Set[dg.AssetKey] | None = None,
) -> dg.DagsterRun:
    """A run of a job of the one code location that `workspace` (a workspace.yaml) names, to be executed here."""
    (location,) = location_origins_from_yaml_paths([str(workspace)])
    return instance.create_run_for_job(
        job,
        run_config=run_config,
        asset_selection=frozenset(selection) if selection is not None else None,
        tags=tags,
        remote_job_origin=RemoteRepositoryOrigin(location, "__repository__").get_job_origin(job.name),
    )


def location_name(workspace: Path) -> str:
    """The name of the one code location that `workspace` (a workspace.yaml) names."""
    (location,) = location_origins_from_yaml_paths([str(workspace)])
    return location.location_name


def execute(instance: dg.DagsterInstance, job: dg.JobDefinition, run: dg.DagsterRun) -> Iterator[dg.DagsterEvent]:
    """Executes a run that was created, as the events are taken."""
    return execute_run_iterator(InMemoryJob(job), run, instance)


def executor_within(hold: Hold) -> dg.ExecutorDefinition:
    """Dagster's in-process executor, within what `hold` gives: entered before the first step, left after the last one,
    also when the run fails, is terminated or cannot start its resources."""

    stock = dg.in_process_executor
    create = stock.executor_creation_fn
    assert create is not None
    return dg.ExecutorDefinition(
        stock.name, cast(Any, stock.config_schema), executor_creation_fn=lambda context: _Within(hold, create(context))
    )


class _Within(dg.Executor):
    def __init__(self, hold: Hold, steps: dg.Executor) -> None:
        self._hold, self._steps = hold, steps

    @property
    def retries(self) -> RetryMode:
        return self._steps.retries

    def execute(
        self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan
    ) -> Iterator[dg.DagsterEvent]:
        with ExitStack() as held:
            held.enter_context(_failed_steps_named_once(plan_context.instance))
            with raise_execution_interrupts():
                hold = self._hold(plan_context.instance, plan_context.dagster_run, plan_context.log.info)
                held.enter_context(hold)
            yield from self._steps.execute(plan_context, execution_plan)


# Dagster names the failed step once for every asset between the two: 23 times.
_NOT_EXECUTED = re.compile(r"Dependencies for step (\S+)(?: failed: \[(.*?)\])?(?: were not executed: \[(.*?)\])?\. .*")


@contextmanager
def _failed_steps_named_once(instance: dg.DagsterInstance) -> Iterator[None]:
    """Within the block, the log of a run names once why a step is not executed. What stores its lines is made anew for
    each context of the run, by the instance."""
    stock = instance.get_handlers

    def handlers() -> list[logging.Handler]:
        made = list(stock())
        for handler in made:
            handler.addFilter(_reworded)
        return made

    vars(instance)["get_handlers"] = handlers
    try:
        yield
    finally:
        del vars(instance)["get_handlers"]


def _reworded(record: logging.LogRecord) -> bool:
    metadata = getattr(record, LOG_RECORD_METADATA_ATTR)
    if found := _NOT_EXECUTED.fullmatch(metadata["orig_message"]):
        step, *lists = found.groups()
        failed, missing = (", ".join(sorted(set(re.findall(r"'(.*?)'", steps or "")))) for steps in lists)
        reasons = [f"{failed} failed"] * bool(failed) + [f"{missing} was not executed"] * bool(missing)
        text = f"{step} is not executed: {', and '.join(reasons)}."
        record.msg = record.msg.replace(metadata["orig_message"], text)
        metadata["orig_message"] = text
    return True
