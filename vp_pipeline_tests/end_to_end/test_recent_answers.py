"""Days that request what is new: the tables are those of whole histories, and what is missing is mended."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from vp_pipeline.lake import bronze
from vp_pipeline.sources.keepa.source import PRODUCT
from vp_pipeline.sources.source import SyncRequest
from vp_pipeline_tests.conftest import GreenDays, Pipeline, pipeline_settings
from vp_pipeline_tests.contents import contents
from vp_pipeline_tests.end_to_end.played import Played

ONE, TWO, THREE, FOUR = GreenDays.DAYS
AMERICAN, GERMAN = GreenDays.PRODUCTS.split(",")
FROM_CORE = ("core", "mart", "monitoring")


@pytest.fixture
def played(tmp_path: Path) -> Iterator[Played]:
    """A pipeline that requests what is new; on none of its days it is a product's turn."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield Played(settings(tmp_path / "data"), instance)


def settings(data_dir: Path, **more: object) -> Any:
    return pipeline_settings(data_dir, keepa_asins=GreenDays.PRODUCTS, **{"keepa_full_every_days": 90, **more})


def requested(pipeline: Pipeline, day: date) -> SyncRequest:
    sync = bronze.read_sync(pipeline.lake, PRODUCT, day)
    assert sync is not None
    assert sync.request is not None
    return sync.request


def landed_bytes(pipeline: Pipeline, day: date) -> int:
    sync = bronze.read_sync(pipeline.lake, PRODUCT, day)
    assert sync is not None
    return sync.bytes


def values(pipeline: Pipeline) -> dict[str, list[tuple[object, ...]]]:
    return contents(pipeline.settings.warehouse_path, FROM_CORE, provenance=False)


@pytest.mark.integration
def test_each_day_requests_what_is_new_since_the_day_before(played: Played) -> None:
    """Of a range too, whose days are decoded after all of them are synced."""
    assert played.materialize("key:airbyte/*", ONE, TWO).success
    assert played.materialize("key:airbyte/*", FOUR).success
    assert requested(played, ONE).why_whole == dict.fromkeys((AMERICAN, GERMAN), "it has no earlier answer")
    assert requested(played, TWO).recent == {AMERICAN: 3, GERMAN: 3}
    assert requested(played, FOUR).recent == {AMERICAN: 4, GERMAN: 4}
    assert landed_bytes(played, TWO) < landed_bytes(played, ONE) / 10

    # A day that comes late requests what was new then, and one that was synced requests nothing again.
    before = bronze.read_sync(played.lake, PRODUCT, ONE)
    assert played.materialize("key:airbyte/*", ONE, TWO, THREE).success
    assert requested(played, THREE).recent == {AMERICAN: 3, GERMAN: 3}
    assert bronze.read_sync(played.lake, PRODUCT, ONE) == before


@pytest.mark.slow
def test_any_order_of_days_ends_in_the_tables_of_whole_histories(played: Played, tmp_path: Path) -> None:
    for days in ((THREE,), (ONE, TWO), (FOUR,)):
        report = played.run(*days)
        assert report.succeeded, report.reasons
    assert set(requested(played, FOUR).recent) == set(requested(played, TWO).recent) == {AMERICAN, GERMAN}
    found = values(played)
    with dg.DagsterInstance.ephemeral() as instance:
        whole = Pipeline(settings(tmp_path / "whole", keepa_full_every_days=1), instance)
        report = whole.run(ONE, TWO, THREE, FOUR)
        assert report.succeeded, report.reasons
    assert requested(whole, FOUR).recent == {}
    expected = values(whole)
    assert found.keys() == expected.keys()
    for table in expected:
        assert found[table] == expected[table], table


def lose(product: dict[str, Any]) -> None:
    """An answer of one of the two products lacks what is newest in its history of new prices."""
    if product["domainId"] == 3:
        product["csv"][1] = product["csv"][1][:2]
        product["stats"]["current"][1] += 1


@pytest.mark.slow
def test_what_differs_from_the_vendors_figures_is_mended_by_the_next_sync(played: Played) -> None:
    for day in (ONE, TWO):
        if day == TWO:
            played.sync(TWO, lose)
        report = played.run(day)
        assert report.succeeded, report.reasons
    assert played.query("select entity, run_date from monitoring.mon_excluded_answer") == [("3-B0SBXTWO06", TWO)]
    report = played.run(THREE)
    assert report.succeeded, report.reasons
    request = requested(played, THREE)
    assert set(request.recent) == {AMERICAN}
    assert request.why_whole[GERMAN].startswith(f"its answer of {TWO} is excluded: ")
    statuses = played.query("select distinct status from monitoring.mon_keepa_reconciliation")
    assert statuses == [("agrees",)]
    played.run(FOUR)
    assert set(requested(played, FOUR).recent) == {AMERICAN, GERMAN}
