"""A real `dagster dev`: what its schedules and sensors would start, and its daemon ticking on its own."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from vp_pipeline.sandbox.services.server import Services
from vp_pipeline_tests.dagster_dev import DagsterDev, dagster_dev, wait_until

pytestmark = pytest.mark.slow
DAY = "2026-03-10"
REPOSITORY = {"repositoryName": "__repository__", "repositoryLocationName": "vp_pipeline"}
AUTOMATION = """query ($selector: RepositorySelector!) {
  repositoryOrError(repositorySelector: $selector) {... on Repository {schedules {name} sensors {name}}}
}"""
EVALUATION = """
fragment evaluation on TickEvaluation {runRequests {runKey tags {key value}} skipReason error {message}}"""
SCHEDULE = """mutation ($selector: ScheduleSelector!, $at: Float!) {
  scheduleDryRun(selectorData: $selector, timestamp: $at) {
    __typename ... on DryRunInstigationTick {evaluationResult {...evaluation}}
  }
}"""
SENSOR = """mutation ($selector: SensorSelector!) {
  sensorDryRun(selectorData: $selector, cursor: null) {
    __typename ... on DryRunInstigationTick {evaluationResult {...evaluation}}
  }
}"""
START = """mutation ($selector: SensorSelector!) {startSensor(sensorSelector: $selector) {__typename}}"""
LAUNCH = """mutation ($params: ExecutionParams!) {
  launchPipelineExecution(executionParams: $params) {__typename ... on LaunchRunSuccess {run {runId}}}
}"""
TICKS = """query ($selector: SensorSelector!) {
  sensorOrError(sensorSelector: $selector) {... on Sensor {sensorState {ticks(limit: 1) {status}}}}
}"""
TEN_PAST_MIDNIGHT = datetime(2026, 3, 11, 0, 10, tzinfo=UTC).timestamp()


@pytest.fixture
def services() -> Iterator[Services]:
    with Services() as serving:
        yield serving


@pytest.fixture
def dagster(environment: dict[str, str], services: Services, tmp_path: Path) -> Iterator[DagsterDev]:
    own = {"VP_KEEPA_ASINS": "3:B0SBXDEU09", **services.variables()}
    with dagster_dev({**environment, **own}, tmp_path / "dagster_dev.log") as serving:
        yield serving


def test_dagster_dev_asks_and_ticks(dagster: DagsterDev, services: Services) -> None:
    known = dagster.ask(AUTOMATION, selector=REPOSITORY)["repositoryOrError"]

    # What the daily schedule starts at 00:10 UTC: one run, of the day that has just finished.
    for schedule in known["schedules"]:
        selector = {**REPOSITORY, "scheduleName": schedule["name"]}
        evaluation = evaluated(dagster.ask(SCHEDULE + EVALUATION, selector=selector, at=TEN_PAST_MIDNIGHT))
        if schedule["name"] == "daily_pipeline_schedule":
            (request,) = evaluation["runRequests"]
            assert {tag["key"]: tag["value"] for tag in request["tags"]}["dagster/partition"] == DAY
    # Every sensor can be evaluated; with nothing landed and nothing run, none starts anything.
    for sensor in known["sensors"]:
        if sensor["name"] == "mart_automation":
            continue  # evaluated by the daemon alone
        evaluation = evaluated(dagster.ask(SENSOR + EVALUATION, selector={**REPOSITORY, "sensorName": sensor["name"]}))
        assert not evaluation["runRequests"], sensor

    # The daemon's own ticks: Slack gets a message about a run of a day.
    for name in ("run_alerts", "slack_delivery"):
        started = dagster.ask(START, selector={**REPOSITORY, "sensorName": name})
        assert started["startSensor"]["__typename"] == "Sensor", started
    wait_until(lambda: ticked(dagster, "run_alerts"), seconds=90)
    params = {
        "selector": {**REPOSITORY, "jobName": "daily_pipeline"},
        "runConfigData": {},
        "executionMetadata": {"tags": [{"key": "dagster/partition", "value": DAY}]},
        "mode": "default",
    }
    launched = dagster.ask(LAUNCH, params=params)["launchPipelineExecution"]
    run = dagster.wait_for_run(1)
    assert (run["runId"], run["status"]) == (launched["run"]["runId"], "SUCCESS")
    tags = {tag["key"]: tag["value"] for tag in run["tags"]}
    assert (tags["vp/day"], tags["vp/source"]) == (DAY, "keepa")
    messages = wait_until(lambda: [m["text"] for m in services.slack.messages if "published" in m["text"]], seconds=150)
    assert len(messages) == 1
    assert DAY in messages[0]
    assert run["runId"] in messages[0]


def ticked(dagster: DagsterDev, sensor: str) -> bool:
    found = dagster.ask(TICKS, selector={**REPOSITORY, "sensorName": sensor})
    return bool(found["sensorOrError"]["sensorState"]["ticks"])


def evaluated(answer: dict[str, Any]) -> dict[str, Any]:
    (tick,) = answer.values()
    assert tick["__typename"] == "DryRunInstigationTick", tick
    result: dict[str, Any] = tick["evaluationResult"]
    assert result["error"] is None, result["error"]
    return {**result, "runRequests": result["runRequests"] or []}
