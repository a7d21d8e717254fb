"""What a day and a range of days cost, beside bare `dbt build` of the same models and window.

    python benchmarks/day.py [--days 30] [--without-ui]

On the sandbox's catalogue and a folder of its own. The three kinds of run are interleaved, each round a new
day; medians.
Every figure is wall clock, from the command (or the click) to its end; a command is a fresh process.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

from vp_pipeline.partitions import newest_finished_day
from vp_pipeline.settings import PROJECT_ROOT
from vp_pipeline_tests.dagster_dev import DagsterDev, dagster_dev, own_environment

ROUNDS = 3
BIN = Path(sys.executable).parent
LAUNCH = """mutation ($params: ExecutionParams!) {
  launchPipelineExecution(executionParams: $params) {__typename ... on LaunchRunSuccess {run {runId}}}
}"""
BACKFILL = """mutation ($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {__typename ... on PythonError {message}}
}"""
STEPS = """query ($run: ID!) {
  runOrError(runId: $run) {... on Run {startTime endTime stepStats {stepKey startTime endTime}}}
}"""
ASSETS = "{assetNodes {assetKey {path}}}"


def main() -> None:
    """Prints a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=30, help="days of the range (0: none)")
    parser.add_argument("--without-ui", action="store_true", help="leave out what needs `dagster dev`")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        environment = own_environment(Path(folder))
        first = newest_finished_day() - timedelta(days=options.days + 5 * ROUNDS + 10)
        _time(environment, "vp", "run", "--date", str(first))
        print("| what | seconds | over bare dbt |\n|---|---:|---:|")
        last, day_seconds = _rounds(environment, first)
        if not options.without_ui:
            with dagster_dev(environment, Path(folder) / "dagster_dev.log") as dagster:
                last = _from_the_ui(dagster, last, day_seconds, options.days)
        if options.days:
            _range(environment, last, options.days, day_seconds)


def _rounds(environment: dict[str, str], first: date) -> tuple[date, float]:
    kinds: dict[str, list[float]] = {"bare `dbt build`": [], "`dbt_models` job": [], "`vp run`, a new day": []}
    day = first
    for _ in range(ROUNDS):
        day += timedelta(days=1)
        tags = json.dumps({"dagster/partition": str(day)})
        job = ["dagster", "job", "execute", "-m", "vp_pipeline.definitions", "-j", "dbt_models", "--tags", tags]
        kinds["`vp run`, a new day"].append(_time(environment, "vp", "run", "--date", str(day)))
        kinds["bare `dbt build`"].append(_time(environment, "dbt", *_build(environment, day)))
        kinds["`dbt_models` job"].append(_time(environment, *job))
    floor = statistics.median(kinds["bare `dbt build`"])
    for name, seconds in kinds.items():
        _row(name, statistics.median(seconds), floor)
    return day, statistics.median(kinds["`vp run`, a new day"])


def _from_the_ui(dagster: DagsterDev, day: date, command: float, days: int) -> date:
    day += timedelta(days=1)
    selector = {
        "repositoryName": "__repository__",
        "repositoryLocationName": "vp_pipeline",
        "jobName": "daily_pipeline",
    }
    tags = [{"key": "dagster/partition", "value": str(day)}]
    before, began = len(dagster.runs()), time.time()
    dagster.ask(
        LAUNCH,
        params={"selector": selector, "runConfigData": {}, "executionMetadata": {"tags": tags}, "mode": "default"},
    )
    run = dagster.wait_for_run(before + 1)
    assert run["status"] == "SUCCESS", run
    steps = dagster.ask(STEPS, run=run["runId"])["runOrError"]
    _row("button → first step", min(step["startTime"] for step in steps["stepStats"]) - began)
    _row("button → last step", max(step["endTime"] for step in steps["stepStats"]) - began, command)
    for step in sorted(steps["stepStats"], key=lambda step: step["startTime"]):
        _row(f"… of which `{step['stepKey']}`", step["endTime"] - step["startTime"])
    if days:
        wanted = [str(day + timedelta(days=n + 1)) for n in range(days)]
        keys = [node["assetKey"] for node in dagster.ask(ASSETS)["assetNodes"]]
        before, began = len(dagster.runs()), time.time()
        dagster.ask(BACKFILL, params={"assetSelection": keys, "partitionNames": wanted})
        run = dagster.wait_for_run(before + 1, seconds=3600)
        assert run["status"] == "SUCCESS", run
        whole = time.time() - began
        _row(f"backfill of {days} days from the UI", whole)
        _row("… each day after the first", (whole - command) / (days - 1))
        day += timedelta(days=days)
    return day


def _range(environment: dict[str, str], last: date, days: int, day_seconds: float) -> None:
    first, end = last - timedelta(days=days - 1), last
    whole = _time(environment, "vp", "run", "--from", str(first), "--to", str(end), "--resync")
    _row(f"`vp run` over {days} days, synced again", whole)
    _row("… each day after the first", (whole - day_seconds) / (days - 1))


def _build(environment: dict[str, str], day: date) -> list[str]:
    project = str(PROJECT_ROOT / "dbt_project")
    target = str(Path(environment["VP_DATA_DIR"]) / "bare_dbt")
    where = ["--project-dir", project, "--profiles-dir", project, "--target", "local", "--target-path", target]
    window = ["--event-time-start", str(day), "--event-time-end", str(day + timedelta(days=1))]
    return ["build", *where, "--log-path", target, *window, "--exclude-resource-type", "unit_test"]


def _time(environment: dict[str, str], program: str, *arguments: str) -> float:
    began = time.perf_counter()
    done = subprocess.run(
        [str(BIN / program), *arguments],
        env={**environment, "VP_WAREHOUSE_PATH": f"{environment['VP_DATA_DIR']}/warehouse.duckdb"},
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{program} {' '.join(arguments)} failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return time.perf_counter() - began


def _row(name: str, seconds: float, floor: float | None = None) -> None:
    over = f"{seconds - floor:+.1f} s, {seconds / floor:.2f}×" if floor else ""
    print(f"| {name} | {seconds:.1f} | {over} |", flush=True)


if __name__ == "__main__":
    main()
