"""Any order, any grouping and any repetition of days ends in the same tables."""

from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from vp_pipeline_tests.conftest import Pipeline, pipeline_settings
from vp_pipeline_tests.sandbox.client import catalogue

pytestmark = pytest.mark.slow

ONE, TWO, THREE = (date(2026, 2, n) for n in (9, 10, 11))
ORDERS: dict[str, list[tuple[date, ...]]] = {
    "one by one": [(ONE,), (TWO,), (THREE,)],
    "one range": [(ONE, TWO, THREE)],
    "shuffled and repeated": [(THREE,), (ONE,), (TWO, THREE), (ONE,)],
}


@pytest.fixture(scope="module")
def products() -> tuple[str, ...]:

    known = catalogue(None, 7)
    return tuple(p for p in known if p.startswith("5:"))[:1] + tuple(p for p in known if not p.startswith("5:"))[:3]


def played(data_dir: Path, order: list[tuple[date, ...]], products: tuple[str, ...]) -> Pipeline:
    pipeline = Pipeline(pipeline_settings(data_dir, keepa_asins=products), dg.DagsterInstance.ephemeral())
    for days in order:
        report = pipeline.run(*days)
        assert report.succeeded, report.reasons
    return pipeline


def parquet_of(pipeline: Pipeline) -> dict[str, bytes]:
    """The silver files; their manifests also name the sync, which is another one in each order."""
    return {path: content for path, content in pipeline.lake_contents("silver").items() if path.endswith(".parquet")}


def test_any_order_ends_in_the_same_tables(tmp_path: Path, products: tuple[str, ...]) -> None:
    expected = None
    for name, order in ORDERS.items():
        pipeline = played(tmp_path / name, order, products)
        found = pipeline.contents()
        found_silver = parquet_of(pipeline)
        if expected is None:
            expected, expected_silver = found, found_silver
            days = pipeline.query("select distinct _run_date from raw.keepa_price order by all")
            assert days == [(ONE,), (TWO,), (THREE,)]
        for table in expected:
            assert found[table] == expected[table], f"{table} differs when days are run {name}"
        assert found.keys() == expected.keys()
        assert found_silver == expected_silver
