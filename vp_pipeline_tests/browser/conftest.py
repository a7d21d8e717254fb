"""A real `dagster dev` from the project's root, and headless Chromium to look at it. Without either the tests skip."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from vp_pipeline.settings import PROJECT_ROOT

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), ""
)
# Screenshots are kept here, for people to look at.
SCREENSHOTS = Path(os.environ.get("VPT_SCREENSHOTS") or PROJECT_ROOT / "test_screenshots")
START_SECONDS = 120


@dataclass
class DagsterUi:
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
        query = "{runsOrError {... on Runs {results {runId status tags {key value}}}}}"
        return list(self.ask(query)["runsOrError"]["results"])

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


@pytest.fixture
def ui(environment: dict[str, str], tmp_path: Path) -> Iterator[DagsterUi]:
    """`dagster dev` on a small catalogue and an empty folder."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (tmp_path / "dagster_dev.log").open("w")
    started = subprocess.Popen(
        [str(Path(sys.executable).with_name("dagster")), "dev", "--host", "127.0.0.1", "--port", str(port)],
        cwd=PROJECT_ROOT,
        env={**environment, "VP_KEEPA_ASINS": "3:B0SBXDEU09,5:B0SBXJPN10"},
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    dagster = DagsterUi(f"http://127.0.0.1:{port}", Path(environment["VP_DATA_DIR"]))
    loaded = "{workspaceOrError {... on Workspace {locationEntries {locationOrLoadError {__typename}}}}}"

    def is_up() -> bool:
        assert started.poll() is None, (tmp_path / "dagster_dev.log").read_text()[-2000:]
        try:
            (entry,) = dagster.ask(loaded)["workspaceOrError"]["locationEntries"]
        except OSError:
            return False
        return bool(entry["locationOrLoadError"]["__typename"] == "RepositoryLocation")

    try:
        wait_until(is_up, START_SECONDS)
        yield dagster
    finally:
        os.killpg(started.pid, signal.SIGTERM)
        try:
            started.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(started.pid, signal.SIGKILL)
        log.close()


@pytest.fixture
def page() -> Iterator[Any]:
    """A page of headless Chromium, as wide as a laptop's screen."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM:
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium)")
    # What Chromium would ask its maker for, it does not ask.
    offline = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-quic", *offline]
        )
        page = browser.new_page(viewport={"width": 1700, "height": 1000})
        page.set_default_timeout(60_000)
        yield page
        browser.close()


@pytest.fixture
def shoot(page: Any) -> Callable[[str], None]:
    """Takes a screenshot under a name, once nothing loads any more."""
    SCREENSHOTS.mkdir(exist_ok=True)

    def take(name: str) -> None:
        page.get_by_text("Loading").first.wait_for(state="hidden")
        page.wait_for_timeout(1500)  # for pictures that are still drawn
        page.screenshot(path=SCREENSHOTS / f"{name}.png")

    return take
