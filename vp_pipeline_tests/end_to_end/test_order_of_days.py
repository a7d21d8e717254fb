"""Any order, any grouping and any repetition of days ends in the same tables."""

from datetime import date
from pathlib import Path

import pytest

from vp_pipeline_tests.conftest import GreenDays, Pipeline, pipeline_in

pytestmark = pytest.mark.slow

ONE, TWO, THREE, _ = GreenDays.DAYS


def parquet_of(pipeline: Pipeline) -> dict[str, bytes]:
    """The silver files; their manifests also name the sync, which is another one in each order."""
    return {path: content for path, content in pipeline.lake_contents("silver").items() if path.endswith(".parquet")}


@pytest.mark.parametrize(
    "order",
    [
        pytest.param([(ONE, TWO, THREE)], id="one range", marks=pytest.mark.exhaustive),
        pytest.param([(THREE,), (ONE,), (TWO, THREE), (ONE,)], id="shuffled and repeated"),
    ],
)
def test_any_order_ends_in_the_tables_of_one_by_one(
    green_days: GreenDays, tmp_path: Path, order: list[tuple[date, ...]]
) -> None:
    with pipeline_in(tmp_path, Pipeline, keepa_asins=GreenDays.PRODUCTS) as pipeline:
        for days in order:
            report = pipeline.run(*days)
            assert report.succeeded, report.reasons
        found, found_silver = pipeline.contents(), parquet_of(pipeline)
    with green_days.pipeline(3, tmp_path / "one_by_one", Pipeline) as one_by_one:
        assert one_by_one.query("select distinct _run_date from raw.keepa_price order by all") == [
            (ONE,),
            (TWO,),
            (THREE,),
        ]
        expected, expected_silver = one_by_one.contents(), parquet_of(one_by_one)
    assert found.keys() == expected.keys()
    for table in expected:
        assert found[table] == expected[table], table
    assert found_silver == expected_silver
