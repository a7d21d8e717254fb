"""SIGKILL at random moments of every step, again and again on the same folder; then one run to the end.

`make soak` does many more of them. A kill ends the step at once, as a power cut would; the next run finds whatever it
left, and in the end every table is as after one undisturbed run.
"""

import random
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from vp_pipeline_tests.conftest import GreenDays
from vp_pipeline_tests.dagster_dev import own_environment
from vp_pipeline_tests.soak import kills
from vp_pipeline_tests.soak.kills import DAYS, STEPS, VP

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "numbers",
    [(3, 5, 6), pytest.param(range(3 * len(STEPS)), marks=pytest.mark.exhaustive)],
    ids=["some", "every"],
)
def test_killed_at_any_moment_of_a_step(green_days: GreenDays, tmp_path: Path, numbers: Sequence[int]) -> None:
    """A kill in silver, in dbt and in the publication, or three in every step; `make soak` has a dozen rounds."""
    undisturbed = green_days.copy(len(DAYS), tmp_path / "undisturbed")
    environment = {**kills.environment_in(tmp_path / "killed"), "VP_KEEPA_ASINS": GreenDays.PRODUCTS}
    chance = random.Random(20260310)
    for number in numbers:
        kills.kill_vp_run(environment, number, chance)
    kills.run_to_the_end(environment)
    assert kills.differences(environment, undisturbed) == []


def test_two_runs_at_once_follow_one_another_also_of_instances_that_do_not_know_each_other(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """One warehouse, and a Dagster home for each: nothing but the lease is common to them."""
    (tmp_path / "other").mkdir()
    other = {**environment, "DAGSTER_HOME": own_environment(tmp_path / "other")["DAGSTER_HOME"]}
    command = [str(VP), "run", "--date", DAYS[0]]
    started = []
    for home in (environment, other):
        variables = {**home, "VP_KEEPA_ASINS": kills.PRODUCT}
        started.append(subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True))
        time.sleep(0.2)
    printed = [run.communicate()[0] for run in started]
    assert [run.returncode for run in started] == [0, 0], printed
    waited = [text for text in printed if f"Waiting for vp run of {DAYS[0]}" in text]
    assert len(waited) == 1, printed
    assert [kills.unfinished(home) for home in (environment, other)] == [[], []]
