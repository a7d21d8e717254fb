"""A day of the recorded answers through the whole pipeline, run once for all tests that look at it."""

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from vp_pipeline_tests.conftest import GreenDays, Pipeline, pipeline_in

RECORDED_DAY = date(2026, 6, 1)


@pytest.fixture(scope="session")
def recorded(green_days: GreenDays, recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """What RECORDED_DAY made of the answers: made once for all workers, and copied for each. A test may run the day
    again, which changes nothing."""

    def make(folder: Path) -> None:
        with pipeline_in(folder, Pipeline, keepa_recordings=recordings) as pipeline:
            report = pipeline.run(RECORDED_DAY)
            assert report.succeeded, report.reasons

    own = tmp_path_factory.mktemp("recorded")
    shutil.copytree(
        green_days.made_once(f"recorded_{recordings.parent.name}_{recordings.name}", make), own, dirs_exist_ok=True
    )
    with pipeline_in(own, Pipeline, keepa_recordings=recordings) as pipeline:
        yield pipeline
