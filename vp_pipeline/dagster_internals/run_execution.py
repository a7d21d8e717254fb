"""One run in this process, its events as they happen, known to the UI as a run of the code location.

`JobDefinition.execute_in_process` is public, but returns the events when all is over, and makes a run without an
origin: the UI could not re-execute it.

Private names:

- `InMemoryJob`, `execute_run_iterator`: execution of a run that exists already, event by event.
  Guard: `dagster_internals/test_run_execution.py::test_events_come_while_the_run_executes`
- `RemoteRepositoryOrigin`, `location_origins_from_yaml_paths`: a run's link to the code location in workspace.yaml.
  Guard: `end_to_end/test_command_line.py::test_a_day_runs_shows_and_runs_again_without_a_change`
"""

from collections.abc import Iterator, Mapping, Set
from pathlib import Path

import dagster as dg
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run_iterator
from dagster._core.remote_origin import RemoteRepositoryOrigin
from dagster._core.workspace.load import location_origins_from_yaml_paths


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


def execute(instance: dg.DagsterInstance, job: dg.JobDefinition, run: dg.DagsterRun) -> Iterator[dg.DagsterEvent]:
    """Executes a run that was created, as the events are taken."""
    return execute_run_iterator(InMemoryJob(job), run, instance)
