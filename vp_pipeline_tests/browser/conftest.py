"""A real `dagster dev`, and headless Chromium to look at it. Without Chromium the tests skip."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from vp_pipeline.settings import PROJECT_ROOT
from vp_pipeline_tests.dagster_dev import DagsterDev, dagster_dev

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), ""
)
# Screenshots are kept here, for people to look at.
SCREENSHOTS = Path(os.environ.get("VPT_SCREENSHOTS") or PROJECT_ROOT / "test_screenshots")


@pytest.fixture
def ui(page: Any, environment: dict[str, str], tmp_path: Path) -> Iterator[DagsterDev]:
    """`dagster dev` on a small catalogue and an empty folder. Without a page nothing is started."""
    catalogue = {"VP_KEEPA_ASINS": "3:B0SBXDEU09,5:B0SBXJPN10"}
    with dagster_dev({**environment, **catalogue}, tmp_path / "dagster_dev.log") as dagster:
        yield dagster


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
        page.set_default_timeout(180_000)  # the machine may be busy with other tests
        yield page
        browser.close()


@pytest.fixture
def shoot(page: Any) -> Callable[[str], None]:
    """Takes a screenshot under a name, once nothing loads any more."""
    SCREENSHOTS.mkdir(exist_ok=True)

    def take(name: str) -> None:
        page.get_by_text("Loading").first.wait_for(state="hidden")
        page.wait_for_timeout(1500)  # for charts that are still drawn
        page.screenshot(path=SCREENSHOTS / f"{name}.png")

    return take
