"""A real `dagster dev` in the root of the project, and questions to its API: for browser tests and benchmarks."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vp_pipeline.settings import PROJECT_ROOT

START_SECONDS = 120
LOADED = "{workspaceOrError {... on Workspace {locationEntries {locationOrLoadError {__typename}}}}}"
RUNS = "{runsOrError {... on Runs {results {runId status startTime endTime tags {key value}}}}}"


def own_environment(folder: Path, sources: str = "keepa") -> dict[str, str]:
    """The environment of a command on a data folder and a Dagster home within `folder`, with no variable of the
    project's from outside. `sources`: those that are ingested, separated by commas; empty: all."""
    home = folder / "dagster_home"
    home.mkdir(exist_ok=True)
    config = (PROJECT_ROOT / "dagster.yaml").read_text().replace(" .dagster", f" {home}")
    (home / "dagster.yaml").write_text(config)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("VP_", "KEEPA_", "DAGSTER_"))}
    # Tests run days in any order, on empty folders.
    own = {"VP_DATA_DIR": str(folder / "data"), "VP_START_DATE": "2025-01-01", "DAGSTER_HOME": str(home)}
    return {**kept, **own, "VP_SOURCES": sources, "COLUMNS": "140"}


@dataclass
class DagsterDev:
    """A running `dagster dev`: its address, its API, and the folder that it works in."""

    url: str
    data_dir: Path

    def ask(self, query: str, **variables: object) -> Any:
        """The data of a GraphQL query; its errors fail the test."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.url}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as response:
            answer = json.load(response)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    def runs(self) -> list[Mapping[str, Any]]:
        """Every run, newest first."""
        return list(self.ask(RUNS)["runsOrError"]["results"])

    def wait_for_run(self, number: int, seconds: float = 300) -> Mapping[str, Any]:
        """Waits until `number` runs have been started and the newest of them has finished."""

        def finished() -> Mapping[str, Any] | None:
            runs = self.runs()
            done = len(runs) >= number and runs[0]["status"] in ("SUCCESS", "FAILURE", "CANCELED")
            return runs[0] if done else None

        return wait_until(finished, seconds)


def wait_until(ask: Callable[[], Any], seconds: float) -> Any:
    """The first answer that is something; asks twice a second."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = ask()
        if answer:
            return answer
        time.sleep(0.5)
    raise AssertionError(f"nothing came in {seconds:.0f} s")


@contextmanager
def dagster_dev(environment: Mapping[str, str], log: Path) -> Iterator[DagsterDev]:
    """Starts it on a free port, waits until the code location has loaded, and ends it with all its processes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with log.open("w") as output:
        started = subprocess.Popen(
            [str(Path(sys.executable).with_name("dagster")), "dev", "--host", "127.0.0.1", "--port", str(port)],
            cwd=PROJECT_ROOT,
            env=dict(environment),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    dagster = DagsterDev(f"http://127.0.0.1:{port}", Path(environment["VP_DATA_DIR"]))

    def is_up() -> bool:
        assert started.poll() is None, log.read_text()[-2000:]
        try:
            (entry,) = dagster.ask(LOADED)["workspaceOrError"]["locationEntries"]
        except OSError:
            return False
        return bool(entry["locationOrLoadError"]["__typename"] == "RepositoryLocation")

    try:
        wait_until(is_up, START_SECONDS)
        yield dagster
    finally:
        with suppress(ProcessLookupError):  # the block has killed it
            os.killpg(started.pid, signal.SIGTERM)
        try:
            started.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(started.pid, signal.SIGKILL)
