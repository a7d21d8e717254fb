"""Made-up answers with a condition, through the whole pipeline: what comes of each."""

import json
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from vp_pipeline.sources.keepa.source import KEEPA, ORACLE
from vp_pipeline_tests.conftest import Pipeline, pipeline_settings
from vp_pipeline_tests.recordings.folders import ODD
from vp_pipeline_tests.recordings.odd_answers import (
    INACCESSIBLE,
    INVALID,
    NEW_SERIES,
    NINETY_DAYS,
    NO_HISTORY,
    OUTLIER,
    SOUND,
)

pytestmark = pytest.mark.integration

DAY = date(2026, 6, 1)


@pytest.fixture
def odd(tmp_path: Path) -> Iterator[Pipeline]:
    """A pipeline on a folder of recordings that the test fills."""
    (tmp_path / "answers").mkdir()
    with dg.DagsterInstance.ephemeral() as instance:
        yield Pipeline(pipeline_settings(tmp_path / "data", keepa_recordings=tmp_path / "answers"), instance)


def record(pipeline: Pipeline, *names: str) -> None:
    assert pipeline.settings.of(KEEPA).recordings
    for name in names:
        shutil.copy(ODD / f"{name}.json", pipeline.settings.of(KEEPA).recordings)


def test_unknown_series_and_invalid_products_cost_themselves_alone(odd: Pipeline) -> None:
    record(odd, "unknown_series", "not_products")
    report = odd.run(DAY)
    assert report.succeeded, report.reasons
    assert odd.query("select asin from mart.dim_product order by 1") == [(NEW_SERIES,), (SOUND,)]
    quarantined = {
        (row["table"], row["entity"], row["reason"])
        for path in odd.lake_contents("quarantine")
        if path.endswith(".jsonl")
        for row in map(json.loads, odd.lake.read(path).splitlines())
    }
    assert quarantined == {
        ("product", INACCESSIBLE, "productType is 3: inaccessible"),
        ("product", INVALID, "productType is 4: invalid"),
        ("price", NEW_SERIES, "unknown series 36"),
        ("stats", NEW_SERIES, "figures of unknown series, beyond 35"),
    }
    assert report.layers["silver"].warned == 3
    # csv[36] is named as a field that nobody knows, and the two products that Keepa has no data of.
    assert report.layers["bronze"].warned == 2


def test_figures_that_are_not_of_the_history_are_warnings_with_the_reason(odd: Pipeline) -> None:
    """Cut to some days, without any history, and with outliers that the vendor leaves out."""
    record(odd, "outlier_left_out", "only_90_days", "no_history", "not_products")
    report = odd.run(DAY)
    assert report.succeeded, report.reasons
    assert report.layers["monitoring"].warned == 1
    products = {(asin,) for asin in (OUTLIER, NINETY_DAYS, NO_HISTORY, SOUND)}
    assert set(odd.query("select asin from mart.dim_product")) == products
    found = findings(odd)
    assert {figure for figure in found if figure[0] == f"1-{OUTLIER}"} == {
        (f"1-{OUTLIER}", series, figure, "agrees without outliers")
        for series in ("USED", "USED_GOOD_SHIPPING")
        for figure in ("max_value", "avg_180d", "avg_365d")
    }
    assert (f"1-{NINETY_DAYS}", "NEW", "min_value", "our history begins too late") in found
    assert (f"1-{NINETY_DAYS}", "NEW", "max_value", "our history begins too late") in found
    assert {figure[3] for figure in found if figure[0] == f"1-{NO_HISTORY}"} == {"the response has no histories"}
    assert {figure[0] for figure in found} == {f"1-{asin}" for asin in (OUTLIER, NINETY_DAYS, NO_HISTORY)}


def findings(pipeline: Pipeline) -> set[tuple[str, str, str, str]]:
    """(product, series, figure, finding) of the worst figures that the check names."""
    check = dg.AssetCheckKey(dg.AssetKey(["monitoring", "mon_keepa_reconciliation"]), ORACLE.agrees)
    (stored,) = pipeline.instance.event_log_storage.get_asset_check_execution_history(check, limit=1)
    assert stored.evaluation is not None
    rows = str(stored.evaluation.metadata["worst_figures"].value).splitlines()[2:]
    cells = [[cell.strip() for cell in row.strip("| ").split("|")] for row in rows]
    return {(product, series, figure, finding) for product, series, figure, _, _, finding in cells}
