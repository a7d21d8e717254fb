"""A pipeline that nobody watches: the daemon's own evaluations on a real instance, and the runs that they request.

The daemon evaluates schedules and sensors in a code server, as in production. The runs that it creates are executed in
this process, one at a time, so that a test decides what happens when.
"""

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run_iterator
from dagster._core.scheduler.instigation import InstigatorTick
from dagster._core.test_utils import create_test_daemon_workspace_context, freeze_time, wait_for_futures
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import ModuleTarget
from dagster._daemon.sensor import execute_sensor_iteration
from dagster._scheduler.scheduler import launch_scheduled_runs

from vp_pipeline.airbyte.local import LocalAirbyte
from vp_pipeline.build import build_definitions
from vp_pipeline.cli.report import RunReport
from vp_pipeline.lake.objects import Lake
from vp_pipeline.settings import Settings, load_settings
from vp_pipeline.sources.registry import STREAMS

_LOG = logging.getLogger("night")


class Night:
    """The daemon over a pipeline whose environment is `variables`."""

    def __init__(self, variables: dict[str, str], workspace: WorkspaceProcessContext) -> None:
        self.settings: Settings = load_settings(variables)
        self.instance: dg.DagsterInstance = workspace.instance
        self.definitions = build_definitions(self.settings)
        self._workspace = workspace
        self._clock = datetime.now(UTC)

    @property
    def lake(self) -> Lake:
        return Lake(self.settings.lake_dir)

    def switch_on(self, *names: str) -> None:
        """Sensors or schedules, as from the UI; sensors look once, at the present."""
        repository = self._repository()
        for name in names:
            if repository.has_sensor(name):
                self.instance.start_sensor(repository.get_sensor(name))
            else:
                self.instance.start_schedule(repository.get_schedule(name))
        self.tick(*[name for name in names if repository.has_sensor(name)])

    def tick(self, *names: str) -> dict[str, InstigatorTick]:
        """One evaluation of each of these sensors by the daemon, in order; their ticks."""
        ticks = {}
        repository = self._repository()
        for name in names:
            sensor = repository.get_sensor(name)
            others = [s for s in repository.get_sensors() if s.name != name]
            running = [s for s in others if self._is_on(s)]
            for other in running:
                self.instance.stop_sensor(other.get_remote_origin_id(), other.selector_id, other)
            futures: dict[str, object] = {}
            self._clock += timedelta(minutes=3)  # longer than any sensor's interval
            with ThreadPoolExecutor() as pool, freeze_time(self._clock):
                list(
                    execute_sensor_iteration(
                        self._workspace,
                        _LOG,
                        pool,
                        pool,
                        sensor_tick_futures=futures,  # type: ignore[arg-type]
                    )
                )
                wait_for_futures(futures)  # type: ignore[arg-type]
            for other in running:
                self.instance.start_sensor(other)
            (ticks[name], *_) = self.instance.get_ticks(sensor.get_remote_origin_id(), sensor.selector_id, limit=1)
        return ticks

    def tick_schedules(self, at: datetime) -> None:
        """What the scheduler does at a moment (UTC)."""
        futures: dict[str, object] = {}
        with ThreadPoolExecutor() as pool:
            list(
                launch_scheduled_runs(
                    self._workspace,
                    _LOG,
                    at,
                    {},
                    pool,
                    pool,
                    scheduler_run_futures=futures,  # type: ignore[arg-type]
                )
            )
            wait_for_futures(futures)  # type: ignore[arg-type]

    def waiting(self) -> list[dg.DagsterRun]:
        """Runs that were requested and not executed yet, oldest first."""
        statuses = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.QUEUED]
        return list(self.instance.get_runs(dg.RunsFilter(statuses=statuses)))[::-1]

    def execute(self, run: dg.DagsterRun) -> RunReport:
        """Executes a run that was requested."""
        job = self.definitions.resolve_job_def(run.job_name)
        if run.asset_selection:
            job = job.get_subset(asset_selection=set(run.asset_selection))
        report = RunReport()
        for event in execute_run_iterator(InMemoryJob(job), run, self.instance):
            report.take(event)
        return report

    def airbyte_lands(self, day: str) -> None:
        """What an Airbyte on its own schedule does: objects and, last, the record of the sync."""
        import os

        source, stream = STREAMS[0]
        LocalAirbyte(self.settings, self.lake).sync(source, stream, datetime.fromisoformat(day).date())
        long_ago = (datetime.now(UTC) - timedelta(minutes=5)).timestamp()
        for info in self.lake.list("bronze"):  # it has settled
            os.utime(self.lake.location(info.path), (long_ago, long_ago))

    def _repository(self):  # type: ignore[no-untyped-def]
        (location,) = self._workspace.create_request_context().get_code_location_entries().values()
        assert location.code_location, location.load_error
        return location.code_location.get_repository("__repository__")

    def _is_on(self, sensor) -> bool:  # type: ignore[no-untyped-def]
        state = self.instance.get_instigator_state(sensor.get_remote_origin_id(), sensor.selector_id)
        return state is not None and state.status.value == "RUNNING"


@contextmanager
def a_night(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, services: dict[str, str] | None = None
) -> Iterator[Night]:
    """A night on a folder and a Dagster home of its own."""
    variables = {**environment, **(services or {})}
    for name, value in variables.items():
        if name.startswith(("VP_", "DAGSTER_", "KEEPA_")):
            monkeypatch.setenv(name, value)
    home = Path(environment["DAGSTER_HOME"])
    config = yaml.safe_load((home / "dagster.yaml").read_text())
    config["run_launcher"] = {"module": "dagster._core.test_utils", "class": "MockedRunLauncher"}
    config["run_coordinator"] = {"module": "dagster._core.run_coordinator", "class": "DefaultRunCoordinator"}
    config["run_retries"] = {"enabled": True, "max_retries": 0}
    (home / "dagster.yaml").write_text(yaml.safe_dump(config))
    target = ModuleTarget("vp_pipeline.definitions", None, None, "vp_pipeline")
    own = {name: value for name, value in variables.items() if name.startswith(("VP_", "KEEPA_"))}
    with (
        dg.DagsterInstance.from_config(str(home)) as instance,
        create_test_daemon_workspace_context(target, instance) as workspace,
    ):
        yield Night(own, workspace)
