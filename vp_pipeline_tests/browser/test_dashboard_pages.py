"""The dashboard in a browser: every page, on a green, an odd and an empty world, without an error in the console and
without a request to anywhere else."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from vp_pipeline_tests.browser.conftest import SCREENSHOTS
from vp_pipeline_tests.conftest import GreenDays
from vp_pipeline_tests.dagster_dev import own_environment, wait_until
from vp_pipeline_tests.dashboard.conftest import make_odd

pytestmark = pytest.mark.slow
PAGES = ("Overview", "Product", "Deals", "Rank movers", "Stock-outs", "Profitability", "Data quality", "Metrics")
_VP = "from vp_pipeline.cli.main import main; main()"


@contextmanager
def served(environment: Mapping[str, str], log: Path) -> Iterator[str]:
    """`vp dashboard` on a free port; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with log.open("w") as output:
        started = subprocess.Popen(
            [sys.executable, "-c", _VP, "dashboard", "--port", f"{port}"],
            env=dict(environment),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    url = f"http://127.0.0.1:{port}"

    def is_up() -> bool:
        assert started.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=10) as response:
                return bool(response.status == 200)
        except OSError:
            return False

    try:
        wait_until(is_up, 120)
        yield url
    finally:
        os.killpg(started.pid, signal.SIGTERM)
        started.wait(30)


@pytest.fixture
def seen(page: Any) -> list[str]:
    """What goes wrong in the page, and what it requests of others than the dashboard."""
    found: list[str] = []
    page.on("console", lambda message: message.type in ("error", "warning") and found.append(message.text))
    page.on("pageerror", lambda error: found.append(str(error)))
    local = ("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:")
    page.on("request", lambda request: request.url.startswith(local) or found.append(request.url))
    return found


@pytest.fixture
def look(page: Any) -> Callable[[str, str], None]:
    """Opens a page by its link, waits until nothing is computed any more, and takes a screenshot of all of it."""
    SCREENSHOTS.mkdir(exist_ok=True)

    def take(title: str, name: str) -> None:
        page.get_by_test_id("stSidebarNav").get_by_text(title, exact=True).click()
        page.get_by_role("heading", name=title, level=1).wait_for()
        page.get_by_test_id("stStatusWidget").wait_for(state="detached")
        page.get_by_text("Publication: ").last.wait_for()
        page.wait_for_timeout(1500)  # for charts that are still drawn
        height = page.get_by_test_id("stMain").evaluate("main => main.scrollHeight")
        page.set_viewport_size({"width": 1400, "height": min(height + 50, 4000)})
        page.wait_for_timeout(500)
        page.screenshot(path=SCREENSHOTS / f"dashboard_{name}.png")
        page.set_viewport_size({"width": 1400, "height": 1000})
        assert page.get_by_test_id("stException").count() == 0

    return take


@pytest.mark.parametrize("world", ["green", "odd"])
def test_every_page_opens(
    green_days: GreenDays, tmp_path: Path, page: Any, seen: list[str], look: Callable[[str, str], None], world: str
) -> None:
    environment = own_environment(tmp_path)
    data = Path(environment["VP_DATA_DIR"])
    data.mkdir()
    shutil.copy(green_days.after(2) / "data" / "published.duckdb", data)
    if world == "odd":
        make_odd(data / "published.duckdb")
    with served(environment, tmp_path / "dashboard.log") as url:
        page.goto(url)
        for title in PAGES:
            look(title, f"{world}_{title.lower().replace(' ', '_')}")
        for link in page.get_by_test_id("stSidebarNav").get_by_role("link").all():
            assert link.text_content() in PAGES
    assert seen == []


def test_an_empty_world_says_what_to_do(tmp_path: Path, page: Any, seen: list[str]) -> None:
    with served(own_environment(tmp_path), tmp_path / "dashboard.log") as url:
        page.goto(url)
        page.get_by_text("Nothing is published yet.").wait_for()
        page.screenshot(path=SCREENSHOTS / "dashboard_empty.png")
    assert seen == []
