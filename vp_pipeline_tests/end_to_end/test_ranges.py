"""The streams whose past days can be requested: a range in one run ends in the tables that a run a day ends in.

Three days have weather windows that overlap, and orders that change; `make exhaustive` plays a week, which that window
is as long as, and `DAYS=30 make exhaustive` a month.
"""

import os
from datetime import date
from pathlib import Path

import pytest

from vp_pipeline.partitions import ONE_DAY
from vp_pipeline_tests.conftest import Pipeline, pipeline_in
from vp_pipeline_tests.end_to_end.test_sources_apart import without_syncs

pytestmark = pytest.mark.slow
FIRST = date(2026, 3, 2)
MANY = pytest.param(int(os.environ.get("DAYS", "7")), marks=pytest.mark.exhaustive, id="many")
SOURCES = ("open_meteo", "sp_api")
OVERRIDES = {"chosen_sources": SOURCES}
# Not of the data: what was recorded of runs and builds, and by which moment.
OF_RUNS = ("monitoring.", "raw._")


def tables(pipeline: Pipeline) -> dict[str, list[tuple[object, ...]]]:
    return {
        name: sorted(map(without_syncs, rows), key=repr)
        for name, rows in pipeline.contents().items()
        if not name.startswith(OF_RUNS)
    }


@pytest.mark.parametrize("number", [3, MANY])
def test_a_range_equals_a_run_a_day_in_any_order(tmp_path: Path, number: int) -> None:
    days = [FIRST + ONE_DAY * n for n in range(number)]
    for name in ("range", "days"):
        (tmp_path / name).mkdir()
    with (
        pipeline_in(tmp_path / "range", Pipeline, **OVERRIDES) as at_once,
        pipeline_in(tmp_path / "days", Pipeline, **OVERRIDES) as one_by_one,
    ):
        report = at_once.run(*days)
        assert report.succeeded, report.reasons
        for day in [*days[1::2], *days[::2]]:
            report = one_by_one.run(day)
            assert report.succeeded, report.reasons
        found = tables(at_once)
        assert all(
            any(name.startswith(f"raw.{source}_") and rows for name, rows in found.items()) for source in SOURCES
        )
        assert found == tables(one_by_one)
