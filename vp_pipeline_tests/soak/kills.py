"""One kill each: of `vp run` in one of its steps, and of a `dagster dev` with everything that it started.

Here: the kills, and what has to be true after the last one. Not here: how many, and in which order (`__main__.py`).
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import suppress
from pathlib import Path

import dagster as dg

from vp_pipeline.dagster_internals.run_statuses import FINISHED_BACKFILLS
from vp_pipeline.publishing.duckdb_reader import DuckDBPublishedFile
from vp_pipeline.publishing.publication import Publication
from vp_pipeline.publishing.reader import PublishedMarts
from vp_pipeline_tests.contents import contents
from vp_pipeline_tests.dagster_dev import DagsterDev, dagster_dev, own_environment, wait_until

VP = Path(sys.executable).with_name("vp")
DAYS = ("2026-03-10", "2026-03-11")
PRODUCT = "3:B0SBXTWO06"
# The steps of a run, and roughly how long each takes: the moment of a kill is drawn from it, and beyond its end it is
# in the step after. The first is the process itself, before any step.
STEPS = {
    "": 6.0,
    "airbyte_keepa_product": 1.5,
    "bronze_keepa_product": 0.5,
    "silver_keepa_product": 1.0,
    "raw_keepa_product": 1.5,
    "dbt": 12.0,
    "publish": 1.0,
    "delivery_export": 1.0,
}
# From the launch in the UI to the end of a run.
_UI_SECONDS = 30.0
# A run whose process is gone has ended by then, after the daemon's return.
ENDED_SECONDS = 120.0
_UNFINISHED = [status for status in dg.DagsterRunStatus if status.value not in ("SUCCESS", "FAILURE", "CANCELED")]

_REPOSITORY = {"repositoryName": "__repository__", "repositoryLocationName": "vp_pipeline"}
_LAUNCH = """mutation ($params: ExecutionParams!) {
  launchPipelineExecution(executionParams: $params) {__typename ... on LaunchRunSuccess {run {runId}}}
}"""
_BACKFILL = """mutation ($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {__typename ... on LaunchBackfillSuccess {backfillId}}
}"""
_ASSETS = "{assetNodes {assetKey {path} isPartitioned isMaterializable}}"


def environment_in(folder: Path) -> dict[str, str]:
    """The environment of one product's pipeline in a folder of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    return {**own_environment(folder), "VP_KEEPA_ASINS": PRODUCT}


def run_to_the_end(environment: Mapping[str, str]) -> float:
    """`vp run` over all days, undisturbed; the seconds that it took."""
    began = time.monotonic()
    done = subprocess.run(
        [str(VP), "run", "--from", DAYS[0], "--to", DAYS[-1]], env=dict(environment), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return time.monotonic() - began


def kill_vp_run(environment: Mapping[str, str], number: int, chance: random.Random) -> str:
    """Kills a `vp run` with SIGKILL at a moment of a step; which step changes with the number of the kill."""
    step = list(STEPS)[number % len(STEPS)]
    command = [str(VP), "run", "--from", DAYS[0], "--to", DAYS[-1]]
    with subprocess.Popen(command, env=dict(environment), stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        ended = step and not any(f"{step} …" in line for line in run.stdout)
        if not ended:
            time.sleep(chance.uniform(0, STEPS[step]))
        run.kill()
    require_whole_publication(environment)
    return f"vp run, {'the end' if ended else step or 'before its first step'}"


def kill_deployment(environment: Mapping[str, str], log: Path, chance: random.Random) -> str:
    """Starts `dagster dev`, waits until the runs that the kill before has left have ended, launches a run and a
    backfill, and kills every process of it at a random moment."""
    left = left_behind(environment)
    with dagster_dev(environment, log) as dagster:
        seconds = wait_for_ends(dagster, left)
        before = len(dagster.runs())
        what = chance.choice(["a run", "a backfill", "a run and a backfill"])
        if "run" in what:
            launch_run(dagster, chance.choice(DAYS))
        if "backfill" in what:
            launch_backfill(dagster)
        wait_until(lambda: len(dagster.runs()) > before, 120)
        time.sleep(chance.uniform(0, _UI_SECONDS))
        statuses = [run["status"] for run in dagster.runs()[: -before or None]]
        kill_everything(environment)
    require_whole_publication(environment)
    return f"everything, with {what} ({', '.join(statuses)}); what was left had ended after {seconds:.0f} s"


def left_behind(environment: Mapping[str, str]) -> set[str]:
    """The runs that seem to be running while nothing runs. What was not launched yet is not among them: the daemon that
    comes back launches it."""
    seeming = [dg.DagsterRunStatus[name] for name in ("STARTING", "STARTED", "CANCELING")]
    with dg.DagsterInstance.from_config(environment["DAGSTER_HOME"]) as instance:
        return {run.run_id for run in instance.get_runs(dg.RunsFilter(statuses=seeming))}


def wait_for_ends(dagster: DagsterDev, left: Set[str]) -> float:
    """Waits until the runs that were left behind have ended; the seconds since the code location has loaded."""
    began = time.monotonic()
    ends = ("FAILURE", "CANCELED")
    wait_until(lambda: all(r["status"] in ends for r in dagster.runs() if r["runId"] in left), ENDED_SECONDS)
    return time.monotonic() - began


def launch_run(dagster: DagsterDev, day: str) -> str:
    """The daily job of a day, as from the UI; its id."""
    params = {
        "selector": {**_REPOSITORY, "jobName": "daily_pipeline"},
        "runConfigData": {},
        "executionMetadata": {"tags": [{"key": "dagster/partition", "value": day}]},
        "mode": "default",
    }
    launched = dagster.ask(_LAUNCH, params=params)["launchPipelineExecution"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    return str(launched["run"]["runId"])


def launch_backfill(dagster: DagsterDev, days: Sequence[str] = DAYS) -> str:
    """A backfill of all assets over these days, as from the UI; its id."""
    nodes = [node for node in dagster.ask(_ASSETS)["assetNodes"] if node["isPartitioned"] and node["isMaterializable"]]
    keys = [{"path": node["assetKey"]["path"]} for node in nodes]
    params = {"assetSelection": keys, "partitionNames": list(days)}
    launched = dagster.ask(_BACKFILL, params=params)["launchPartitionBackfill"]
    assert launched["__typename"] == "LaunchBackfillSuccess", launched
    return str(launched["backfillId"])


def kill_everything(environment: Mapping[str, str]) -> None:
    """SIGKILL to every process of a deployment: daemon, code server, web server, runs. They are those that have its
    Dagster home in their environment."""
    while found := list(_processes(environment["DAGSTER_HOME"])):
        for pid in found:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)


def _processes(home: str) -> Iterator[int]:
    wanted = f"DAGSTER_HOME={home}".encode()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            with suppress(OSError):
                # A process that has ended and was not waited for has no environment any more.
                if wanted in (folder / "environ").read_bytes().split(b"\0"):
                    yield int(folder.name)


def finish(environment: Mapping[str, str], log: Path) -> None:
    """What is left after the last kill ends, with a daemon and nothing else; then every day is run once more."""
    left = left_behind(environment)
    with dagster_dev(environment, log) as dagster:
        wait_for_ends(dagster, left)
        wait_until(lambda: not unfinished(environment), 900)
    run_to_the_end(environment)


def unfinished(environment: Mapping[str, str]) -> list[str]:
    """The runs and backfills that have not ended, and the slots of pools that are taken."""
    with dg.DagsterInstance.from_config(environment["DAGSTER_HOME"]) as instance:
        runs = [f"run {r.run_id} is {r.status.value}" for r in instance.get_runs(dg.RunsFilter(statuses=_UNFINISHED))]
        backfills = [
            f"backfill {each.backfill_id} is {each.status.value}"
            for each in instance.get_backfills()
            if each.status.value not in FINISHED_BACKFILLS
        ]
        storage = instance.event_log_storage
        slots = [
            f"a slot of {key} is taken"
            for key in storage.get_concurrency_keys()
            if storage.get_concurrency_info(key).active_slot_count
        ]
    return [*runs, *backfills, *slots]


def differences(environment: Mapping[str, str], undisturbed: Mapping[str, str]) -> list[str]:
    """What differs from a folder whose runs nobody has killed: tables, days of the publication, what is unfinished."""
    found, expected = (contents(Path(each["VP_DATA_DIR"]) / "warehouse.duckdb") for each in (environment, undisturbed))
    names = sorted(found.keys() | expected.keys())
    tables = [f"{name} differs" for name in names if found.get(name) != expected.get(name)]
    published = publication_in(environment)
    days = [] if published and tuple(map(str, published.days)) == DAYS else [f"the publication is {published}"]
    return [*tables, *days, *unfinished(environment)]


def publication_in(environment: Mapping[str, str]) -> Publication | None:
    """What consumers read."""
    return PublishedMarts(DuckDBPublishedFile(Path(environment["VP_DATA_DIR"]) / "published.duckdb")).current()


def require_whole_publication(environment: Mapping[str, str]) -> None:
    """Whatever was killed: consumers read a whole publication, or none before the first."""
    published = publication_in(environment)
    assert published is None or published.rows
