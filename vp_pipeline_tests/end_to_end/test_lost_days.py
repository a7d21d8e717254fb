"""Days do not vanish: a warehouse that was deleted or restored from a backup, and folders that are gone."""

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from vp_pipeline.assets import inventory
from vp_pipeline.assets.keys import PUBLISHED, raw_key
from vp_pipeline.lake import silver
from vp_pipeline.sources.keepa.source import PRODUCT
from vp_pipeline.warehouse.missing_days import record_path
from vp_pipeline_tests.conftest import GreenDays, Pipeline, pipeline_settings

pytestmark = pytest.mark.slow

ONE, TWO, THREE, FOUR = GreenDays.DAYS


def run(pipeline: Pipeline, *days: date) -> None:
    report = pipeline.run(*days)
    assert report.succeeded, report.reasons


def published_days(pipeline: Pipeline) -> tuple[date, ...]:
    from vp_pipeline.environments.environment import build_environment

    current = build_environment(pipeline.settings).build_published_marts().current()
    assert current is not None
    return current.days


def newest_result(pipeline: Pipeline, check: dg.AssetCheckKey) -> dg.AssetCheckEvaluation:
    storage = pipeline.instance.event_log_storage
    record = storage.get_asset_check_execution_history(check, limit=1)[0]
    assert record.evaluation is not None
    return record.evaluation


SAME_DAYS = dg.AssetCheckKey(raw_key(PRODUCT.tables[0]), inventory.CHECK)
KEEPS_ALL = dg.AssetCheckKey(PUBLISHED, "keeps_all")


@pytest.fixture
def four_days(green_days: GreenDays, tmp_path: Path) -> Iterator[Pipeline]:
    """Undisturbed."""
    with green_days.pipeline(4, tmp_path / "undisturbed", Pipeline) as pipeline:
        assert newest_result(pipeline, SAME_DAYS).passed, newest_result(pipeline, SAME_DAYS).description
        yield pipeline


@pytest.fixture
def three_days(green_days: GreenDays, tmp_path: Path) -> Iterator[Pipeline]:
    """The first three days, to be disturbed."""
    with green_days.pipeline(3, tmp_path, Pipeline) as pipeline:
        yield pipeline


# A deleted warehouse has lost more days than a restored one; the remedy of a refusal begins with one as well.
@pytest.mark.parametrize("warehouse", [pytest.param("deleted", marks=pytest.mark.exhaustive), "restored"])
def test_what_raw_lost_is_loaded_again_and_reported(
    three_days: Pipeline, four_days: Pipeline, green_days: GreenDays, warehouse: str
) -> None:
    three_days.settings.warehouse_path.unlink()
    if warehouse == "restored":
        shutil.copy(green_days.after(1) / "data" / "warehouse.duckdb", three_days.settings.warehouse_path)
    run(three_days, FOUR)
    assert published_days(three_days) == (ONE, TWO, THREE, FOUR)
    assert three_days.contents() == four_days.contents()
    warning = newest_result(three_days, SAME_DAYS)
    assert (warning.passed, warning.severity) == (False, dg.AssetCheckSeverity.WARN)
    lost = "3 days (2026-03-10 to 2026-03-12)" if warehouse == "deleted" else "2 days (2026-03-11 to 2026-03-12)"
    assert f"RAW did not hold {lost} as silver does" in str(warning.description)
    run(three_days, FOUR)
    assert newest_result(three_days, SAME_DAYS).passed


@pytest.mark.exhaustive
def test_a_restored_warehouse_gets_the_newest_rows_of_a_day_that_it_has(three_days: Pipeline) -> None:
    """A backup from before a sync was repeated has the day, with other rows."""
    table = PRODUCT.tables[0]
    with three_days.warehouse.connect() as connection:
        connection.execute(f"update raw.{table.raw_name} set title = 'of the backup' where _run_date = '{TWO}'")
        connection.execute("update raw._loads set content = 'of the backup' where run_date = ?", [TWO])
    run(three_days, FOUR)
    assert three_days.query(f"select count(*) from raw.{table.raw_name} where title = 'of the backup'") == [(0,)]
    assert "RAW did not hold 1 day (2026-03-11) as silver does" in str(newest_result(three_days, SAME_DAYS).description)


def test_a_publication_that_would_lose_days_is_refused_unless_a_person_allows_it(three_days: Pipeline) -> None:
    three_days.settings.warehouse_path.unlink()
    for folder in ("silver", "bronze"):
        shutil.rmtree(three_days.settings.lake_dir / folder)
    report = three_days.run(FOUR)
    assert not report.succeeded
    assert "Consumers have the days 2026-03-10, 2026-03-11, 2026-03-12" in report.reasons[0]
    assert "vp run --from 2026-03-10 --to 2026-03-12" in report.reasons[0]
    assert published_days(three_days) == (ONE, TWO, THREE)
    assert "Dagster shows 3 days (2026-03-10 to 2026-03-12) as materialized, and the lake does not hold them" in str(
        newest_result(three_days, SAME_DAYS).description
    )
    assert three_days.run(FOUR, waive="keeps_all").succeeded
    assert published_days(three_days) == (FOUR,)


@pytest.mark.exhaustive
def test_the_remedy_of_the_refusal_works(three_days: Pipeline, four_days: Pipeline) -> None:
    three_days.settings.warehouse_path.unlink()
    shutil.rmtree(three_days.settings.lake_dir / "silver")
    assert not three_days.run(FOUR).succeeded
    run(three_days, ONE, TWO, THREE)
    assert published_days(three_days) == (ONE, TWO, THREE, FOUR)
    assert three_days.contents() == four_days.contents()


def test_a_publication_that_would_lose_a_product_is_refused(three_days: Pipeline) -> None:
    """The days were synced again, and the responses no longer have one of the products."""
    settings = pipeline_settings(three_days.settings.data_dir, keepa_asins=GreenDays.PRODUCTS.split(",")[0])
    fewer = Pipeline(settings, three_days.instance)
    report = fewer.run(ONE, TWO, THREE, resync=True, waive="volume")
    assert not report.succeeded
    assert "1 of mart.dim_product (3-B0SBXTWO06)" in report.reasons[0]
    assert newest_result(fewer, KEEPS_ALL).severity == dg.AssetCheckSeverity.ERROR


def test_dagsters_records_that_are_gone_are_named(three_days: Pipeline) -> None:
    fresh = Pipeline(three_days.settings, dg.DagsterInstance.ephemeral())
    run(fresh, FOUR)
    assert "Dagster has no record of 3 days (2026-03-10 to 2026-03-12), which are there" in str(
        newest_result(fresh, SAME_DAYS).description
    )
    run(fresh, ONE, TWO, THREE)
    assert newest_result(fresh, SAME_DAYS).passed


@pytest.mark.exhaustive
def test_a_damaged_record_costs_a_comparison_and_nothing_else(three_days: Pipeline) -> None:
    three_days.lake.write(record_path(PRODUCT), b"{")
    assert silver.days(three_days.lake, PRODUCT.tables[0]) == [ONE, TWO, THREE]
    run(three_days, FOUR)
    assert newest_result(three_days, SAME_DAYS).passed
