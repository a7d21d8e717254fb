"""SIGKILL at random moments of every step, again and again on the same folder; then one run to the end.

`make soak` sets hundreds of kills. A kill ends the step at once, as a power cut would; the next run finds whatever
it left, and in the end every table is as after one undisturbed run.
"""

import os
import random
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest

from vp_pipeline.publishing.duckdb import DuckDBPublishedFile
from vp_pipeline.publishing.publication import Publication
from vp_pipeline.publishing.reader import PublishedMarts
from vp_pipeline_tests.contents import contents

pytestmark = pytest.mark.slow
KILLS = int(os.environ.get("KILLS", "24"))
DAYS = (date(2026, 3, 10), date(2026, 3, 11))
PRODUCT = "3:B0SBXTWO06"

# Runs the daily pipeline over DAYS in a process of its own, telling each step as it begins.
_RUN = """
import sys
from datetime import date
from pathlib import Path
import dagster as dg
from vp_pipeline.build import build_definitions
from vp_pipeline.cli.local_runs.daily_run import daily_run
from vp_pipeline.cli.local_runs.instance import project_instance
from vp_pipeline.cli.local_runs.orphans import close_orphans
from vp_pipeline_tests.conftest import pipeline_settings

settings = pipeline_settings(Path(sys.argv[1]), keepa_asins=sys.argv[2])
days = [date.fromisoformat(day) for day in sys.argv[3].split(",")]
with project_instance() as instance:
    close_orphans(instance)
    _, events = daily_run(instance, build_definitions(settings), days)
    for event in events:
        if event.event_type == dg.DagsterEventType.STEP_START:
            print("step", event.step_key, file=sys.stderr, flush=True)
        if event.event_type == dg.DagsterEventType.RUN_SUCCESS:
            print("green", file=sys.stderr, flush=True)
"""


def start(environment: dict[str, str], data: Path) -> subprocess.Popen[str]:
    days = ",".join(map(str, DAYS))
    return subprocess.Popen(
        [sys.executable, "-c", _RUN, str(data), PRODUCT, days],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(run: subprocess.Popen[str], word: str) -> bool:
    assert run.stderr is not None
    return any(line.startswith(word) for line in run.stderr)


def to_the_end(environment: dict[str, str], data: Path) -> float:
    """Runs it undisturbed; returns the seconds."""
    began = time.monotonic()
    with start(environment, data) as run:
        assert run.stderr is not None
        printed = run.stderr.read()
    assert "\ngreen\n" in printed, printed[-3000:]
    return time.monotonic() - began


def publication_in(file: Path) -> Publication:
    found = PublishedMarts(DuckDBPublishedFile(file)).current()
    assert found is not None
    return found


# How long each step takes, roughly: moments are drawn from it, and beyond its end from the step after.
STEPS = {
    "airbyte_keepa_product": 1.5,
    "bronze_keepa_product": 0.5,
    "silver_keepa_product": 1.0,
    "raw_keepa_product": 1.5,
    "dbt": 12.0,
    "publish": 1.0,
}


@pytest.fixture
def undisturbed(environment: dict[str, str], tmp_path: Path) -> dict[str, list[tuple[object, ...]]]:
    data = tmp_path / "undisturbed"
    to_the_end(environment, data)
    return contents(data / "warehouse.duckdb")


def test_killed_at_any_moment_of_every_step(
    environment: dict[str, str], tmp_path: Path, undisturbed: dict[str, list[tuple[object, ...]]]
) -> None:
    data = tmp_path / "killed"
    published = data / "published.duckdb"
    chance = random.Random(20260310)
    for kill in range(KILLS):
        step = list(STEPS)[kill % len(STEPS)]
        with start(environment, data) as run:
            if wait_for(run, f"step {step}"):
                time.sleep(chance.uniform(0, STEPS[step]))
            run.kill()
        if published.exists():  # whole, whatever was killed
            assert publication_in(published).rows
    to_the_end(environment, data)
    found = contents(data / "warehouse.duckdb")
    for table, rows in undisturbed.items():
        assert found[table] == rows, f"{table} differs after {KILLS} kills"
    assert found.keys() == undisturbed.keys()
    assert set(publication_in(published).days) == set(DAYS)
