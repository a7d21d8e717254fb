"""A day of the recorded answers through the whole pipeline, run once for all tests that look at it."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from vp_pipeline_tests.conftest import Pipeline, pipeline_settings

RECORDED_DAY = date(2026, 6, 1)


@pytest.fixture(scope="session")
def recorded(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """What RECORDED_DAY made of the answers. A test may run the day again, which changes nothing."""
    settings = pipeline_settings(tmp_path_factory.mktemp("recorded"), keepa_recordings=recordings)
    with dg.DagsterInstance.ephemeral() as instance:
        pipeline = Pipeline(settings, instance)
        report = pipeline.run(RECORDED_DAY)
        assert report.succeeded, report.reasons
        yield pipeline
