"""Everything is killed while a run of the UI holds the lease and another one waits for it; then it is started again."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from vp_pipeline.sandbox.services.server import Services
from vp_pipeline.warehouse.lease.file import LeaseFile
from vp_pipeline_tests.dagster_dev import DagsterDev, dagster_dev, wait_until
from vp_pipeline_tests.soak import kills
from vp_pipeline_tests.soak.kills import DAYS

pytestmark = pytest.mark.slow
DAY, AFTER = DAYS
REPOSITORY = {"repositoryName": "__repository__", "repositoryLocationName": "vp_pipeline"}
START = """mutation ($selector: SensorSelector!) {startSensor(sensorSelector: $selector) {__typename}}"""
TERMINATE = """mutation ($run: String!) {terminateRun(runId: $run) {__typename}}"""
LOG = """query ($run: ID!) {
  logsForRun(runId: $run) {... on EventConnection {events {... on MessageEvent {message}}}}
}"""


def test_a_killed_deployment_frees_what_it_held(environment: dict[str, str], tmp_path: Path) -> None:
    log, lease = tmp_path / "dagster_dev.log", LeaseFile(Path(environment["VP_DATA_DIR"]))
    with Services() as services:
        variables = {**environment, "VP_KEEPA_ASINS": kills.PRODUCT, **services.variables()}
        with dagster_dev(variables, log) as dagster:
            for name in ("run_alerts", "slack_delivery"):
                selector = {**REPOSITORY, "sensorName": name}
                assert dagster.ask(START, selector=selector)["startSensor"]["__typename"] == "Sensor"
            first = kills.launch_run(dagster, DAY)
            wait_until(lambda: (held := lease.current()) and held.run_id == first, 120)
            held = lease.current()
            assert held is not None
            os.kill(held.process.pid, signal.SIGSTOP)  # it holds the lease until it is killed, however fast it would be

            # Another one waits in sight, and ends when it is terminated.
            waiting = kills.launch_run(dagster, AFTER)
            wait_until(
                lambda: waits(dagster, waiting, f"Waiting for a run from the UI of {DAY} (run {first[:8]})"), 120
            )
            terminated = dagster.ask(TERMINATE, run=waiting)["terminateRun"]["__typename"]
            assert terminated == "TerminateRunSuccess"
            wait_until(lambda: status(dagster, waiting) == "CANCELED", 15)
            assert status(dagster, first) == "STARTED"

            third = kills.launch_run(dagster, AFTER)
            wait_until(lambda: waits(dagster, third, "Waiting for a run from the UI"), 120)
            kills.kill_everything(variables)
        wait_until(lambda: lease.current() is None, 10)

        left = kills.left_behind(variables)
        assert left == {first, third}
        with dagster_dev(variables, log) as dagster:
            kills.wait_for_ends(dagster, left)
            assert [status(dagster, run) for run in (first, third)] == ["FAILURE", "FAILURE"]
            reason = next(m for m in messages(dagster, first) if "is gone" in m)
            assert "It was killed, or its machine went down. What it held is free." in reason
            again = kills.launch_run(dagster, DAY)
            wait_until(lambda: status(dagster, again) == "SUCCESS", 300)
            # Both ended for one reason, so one message stands for both.
            wait_until(lambda: [m for m in services.slack.messages if first in m["text"] or third in m["text"]], 150)
    assert kills.unfinished(environment) == []


def status(dagster: DagsterDev, run: str) -> str:
    return next(str(each["status"]) for each in dagster.runs() if each["runId"] == run)


def messages(dagster: DagsterDev, run: str) -> list[str]:
    found: dict[str, Any] = dagster.ask(LOG, run=run)["logsForRun"]
    return [str(event["message"]) for event in found["events"] if event]


def waits(dagster: DagsterDev, run: str, beginning: str) -> bool:
    return any(message.startswith(beginning) for message in messages(dagster, run))
