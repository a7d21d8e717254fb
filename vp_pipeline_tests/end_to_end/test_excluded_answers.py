"""A product whose figures cannot be reconciled costs its own answer of that day, and nothing else.

Here: real runs. Not here: which answers a failed test is blamed on (`assets/test_blamed_answers.py`).
"""

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from vp_pipeline.publishing.duckdb_reader import DuckDBPublishedFile
from vp_pipeline.publishing.reader import PublishedMarts
from vp_pipeline.sources.keepa.source import ORACLE
from vp_pipeline_tests.conftest import GreenDays, Pipeline, pipeline_settings
from vp_pipeline_tests.end_to_end.played import Played
from vp_pipeline_tests.recordings.folders import CASES

pytestmark = pytest.mark.slow

ONE, TWO, THREE, _ = GreenDays.DAYS
ASIN = "B0SBXTWO06"
BAD = f"3-{ASIN}"
RECONCILIATION = dg.AssetKey(["monitoring", "mon_keepa_reconciliation"])


@pytest.fixture
def played(tmp_path: Path) -> Iterator[Played]:
    """A pipeline that has run no day."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield Played(pipeline_settings(tmp_path / "data", keepa_asins=GreenDays.PRODUCTS), instance)


@pytest.fixture
def published(green_days: GreenDays, tmp_path: Path) -> Iterator[Played]:
    """A pipeline that has published the first day."""
    with green_days.pipeline(1, tmp_path, Played) as pipeline:
        yield pipeline


def spoil(product: dict[str, Any]) -> None:
    """One figure of one of the two products is not what its history gives."""
    if product["domainId"] == 3:
        product["stats"]["avg90"][1] += 5


def warning(pipeline: Pipeline, check: str) -> str:
    """The text of a check's newest result, which has to be a warning."""
    key = dg.AssetCheckKey(RECONCILIATION, check)
    (record,) = pipeline.instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
    assert record.evaluation is not None
    assert not record.evaluation.passed
    assert record.evaluation.severity == dg.AssetCheckSeverity.WARN
    return str(record.evaluation.description)


def snapshot_days(pipeline: Pipeline) -> dict[int, object]:
    """The day at whose end each product of the marts is as of, by marketplace."""
    return dict(pipeline.query("select domain_id, cast(snapshot_at as date) from mart.dim_product"))  # type: ignore[arg-type]


def excluded(pipeline: Pipeline) -> list[tuple[object, ...]]:
    return pipeline.query("select entity, run_date from monitoring.mon_excluded_answer order by all")


def by_day(pipeline: Pipeline) -> list[tuple[object, ...]]:
    return pipeline.query("select run_date, is_in_marts, excluded_answers from monitoring.mon_day order by 1")


def test_its_last_good_state_stays_and_it_comes_back(published: Played) -> None:
    played = published
    of_one = played.query("select * from mart.fct_price_history_daily where domain_id = 3 order by all")

    # It costs its own answer: the other product is of the new day, and everything is published.
    played.sync(TWO, spoil)
    report = played.run(TWO)
    assert report.succeeded, report.reasons
    assert report.layers["monitoring"].warned == 1
    assert snapshot_days(played) == {1: TWO, 3: ONE}
    assert played.query("select * from mart.fct_price_history_daily where domain_id = 3 order by all") == of_one
    assert played.published_days == {ONE, TWO}
    assert excluded(played) == [(BAD, TWO)]
    assert by_day(played) == [(ONE, True, 0), (TWO, True, 1)]
    text = warning(played, ORACLE.agrees)
    assert f"Excluded from {TWO}, because they failed: {BAD} ({ORACLE.agrees}: {BAD} NEW avg_90d: ours " in text
    assert "Keepa's" in text

    # Run again it is tried again, with the same result; the day after is not held back.
    before = played.contents()
    assert played.run(TWO).succeeded
    assert played.contents() == before
    report = played.run(THREE)
    assert report.succeeded, report.reasons
    assert report.layers["monitoring"].warned == 0
    assert snapshot_days(played) == {1: THREE, 3: THREE}
    assert excluded(played) == [(BAD, TWO)]

    # Another sync of the day without the fault: included again.
    assert played.run(TWO, resync=True).succeeded
    assert excluded(played) == []


def test_of_a_range_the_day_alone_and_a_product_without_another_answer_is_no_loss(played: Played) -> None:
    played.sync(TWO, spoil)
    report = played.run(ONE, TWO)
    assert report.succeeded, report.reasons
    assert excluded(played) == [(BAD, TWO)]
    assert snapshot_days(played) == {1: TWO, 3: ONE}

    # The other day too: consumers lose the product, and the ledger explains it.
    spoil_raw(played, ONE)
    report = played.run(ONE)
    assert report.succeeded, report.reasons
    assert excluded(played) == [(BAD, ONE), (BAD, TWO)]
    assert snapshot_days(played) == {1: TWO}
    assert played.published_days == {ONE, TWO}
    published = PublishedMarts(DuckDBPublishedFile(played.settings.published_path))
    assert published.read("dim_product")[1].column("domain_id").to_pylist() == [1]


def spoil_raw(played: Played, day: date) -> None:
    """The fault in what RAW has of a day: as many rows as its manifest expects, and wrong."""
    with played.warehouse.connect() as connection:
        connection.execute(
            "update raw.keepa_stats set value = value + 5 where _run_date = ? and domain_id = 3 and stat = 'avg90' "
            "and series = 'NEW'",
            [day],
        )


# Each is a case of its own; all three at once, as made-up responses, are in `test_odd_answers.py`.
@pytest.mark.exhaustive
@pytest.mark.parametrize("case", ["c04_history0", "c05_days90", "c06_outlier_left_out_by_vendor"])
def test_cases_written_for_this_project(case: str, tmp_path: Path) -> None:
    if not CASES.is_dir():
        pytest.skip(f"the cases are not at {CASES}; test_odd_answers.py has their like")
    shutil.copytree(CASES / case, tmp_path / "answers")
    with dg.DagsterInstance.ephemeral() as instance:
        pipeline = Pipeline(pipeline_settings(tmp_path / "data", keepa_recordings=tmp_path / "answers"), instance)
        report = pipeline.run(date(2026, 11, 15))
        assert report.succeeded, report.reasons
        published = {asin for (asin,) in pipeline.query("select asin from mart.dim_product")}
        expected, texts = CASES_EXPECTED[case]
        assert published == {"B0HEALTHY1", *expected}
        assert excluded(pipeline) == []
        found = warning(pipeline, ORACLE.has_no_exceptions)
        for text in texts:
            assert text in found, found


CASES_EXPECTED = {
    "c04_history0": ({"B0NOHIST01"}, ["1-B0NOHIST01 NEW", "the response has no histories"]),
    "c05_days90": (
        {"B0DAYS9001"},
        ["1-B0DAYS9001 NEW avg_180d: ours 1999, Keepa's 1850 (our history begins too late)"],
    ),
    "c06_outlier_left_out_by_vendor": (
        {"B0OUTLIER1"},
        ["1-B0OUTLIER1 USED max_value: ours 199900, Keepa's 2040 (agrees without outliers)"],
    ),
}
