"""Some of the models, as a person or the automation builds them: published when that gives what a whole build gives.

Here: what reaches consumers, and the message where nothing does. Not here: the command's options
(`test_selected_runs.py`).
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import dagster as dg
import pytest

from vp_pipeline.build import build_definitions
from vp_pipeline.partitions import ONE_DAY
from vp_pipeline.publishing.duckdb_reader import DuckDBPublishedFile
from vp_pipeline.publishing.publication import Publication
from vp_pipeline.publishing.reader import PublishedMarts
from vp_pipeline_tests.conftest import GreenDays, Pipeline
from vp_pipeline_tests.contents import contents

pytestmark = pytest.mark.slow

DAY, NEXT, AFTER, _ = GreenDays.DAYS
INGESTION = "key:airbyte/* or key:bronze/* or key:silver/* or key:raw/*"
STOCK_OUTS = 'key:"mart/mart_stock_outs"'


class Selecting(Pipeline):
    """A pipeline with what a person does to it between builds."""

    @property
    def publication(self) -> Publication:
        found = PublishedMarts(DuckDBPublishedFile(self.settings.published_path)).current()
        assert found is not None
        return found

    def published(self) -> dict[str, list[tuple[object, ...]]]:
        """Every row that consumers read of the marts."""
        return contents(self.settings.published_path, ("mart",))

    def execute(self, *statements: str) -> None:
        with self.warehouse.connect() as connection:
            for statement in statements:
                connection.execute(statement)

    def spoil(self, *, is_repaired: bool) -> None:
        """A mart with wrong rows, which a test of it finds. `is_repaired`: its code is another one than made them, so
        that the next build restates it."""
        self.execute(_SPOIL, *([_REPAIR] if is_repaired else []))

    def publish(self, day: date) -> str:
        """Publishes alone; the reason if it is refused, and otherwise nothing."""
        return reason(self.materialize("key:published/*", day))


# Rows of a product that no day has, so that no day is the cause.
_SPOIL = (
    "insert into mart.mart_stock_outs "
    "select * replace ('B0NOWHERE0' as asin, 'nowhere' as product_key) from mart.mart_stock_outs"
)
_REPAIR = "delete from raw._models where model = 'mart_stock_outs'"


def reason(result: dg.ExecuteInProcessResult) -> str:
    failures = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    data = [failure.user_failure_data for failure in failures]
    return "; ".join(str(found.description) for found in data if found is not None)


@pytest.fixture
def pipeline(green_days: GreenDays, tmp_path: Path) -> Iterator[Selecting]:
    """A pipeline that has published two days."""
    with green_days.pipeline(2, tmp_path, Selecting) as pipeline:
        yield pipeline


def test_a_repaired_mart_reaches_consumers_without_the_other_models(pipeline: Selecting) -> None:
    before, first = pipeline.published(), pipeline.publication
    pipeline.spoil(is_repaired=False)
    red = pipeline.materialize(STOCK_OUTS, NEXT)
    assert "mart_stock_outs" in reason(red)
    assert "to be built too: mart_stock_outs (its last build did not finish or is red). " in pipeline.publish(DAY)
    assert pipeline.publication == first

    pipeline.execute(_REPAIR)
    assert pipeline.materialize(STOCK_OUTS, NEXT).success
    assert pipeline.publish(NEXT) == ""
    # The rows are those of a whole build, so it is the publication that there is already.
    assert pipeline.publication == first
    pipeline.execute("update mart.dim_date set is_weekend = not is_weekend")
    assert pipeline.materialize('key:"mart/dim_date"', NEXT).success
    assert pipeline.publish(NEXT) == ""
    assert pipeline.published() == before
    assert pipeline.run(NEXT).succeeded
    assert pipeline.published() == before
    assert pipeline.publication.days == (DAY, NEXT)


def test_what_reads_a_built_model_is_missing_until_it_is_built_as_well(pipeline: Selecting) -> None:
    before = pipeline.published()
    assert pipeline.materialize('key:"core/core_keepa_price_daily"', NEXT).success
    refused = pipeline.publish(NEXT)
    assert "was of some models only. The marts are not whole" in refused
    assert "fct_price_history_daily (reads core_keepa_price_daily)" in refused
    # In two builds: neither is closed, both together are.
    assert pipeline.materialize('key:"mart/fct_price_history_daily"', NEXT).success
    assert "fct_price_history_daily (" not in pipeline.publish(NEXT)
    below = 'key:"core/core_keepa_price_daily"+ and not key:"core/core_keepa_price_daily"'
    below = f'{below} and not key:"mart/fct_price_history_daily"'
    assert pipeline.materialize(f"({below}) and (key:core/* or key:mart/* or key:monitoring/*)", NEXT).success
    assert pipeline.publish(NEXT) == ""
    assert pipeline.published() == before


@pytest.mark.exhaustive
def test_a_red_build_of_everything_is_repaired_by_one_of_everything(pipeline: Selecting) -> None:
    first = pipeline.publication
    pipeline.spoil(is_repaired=False)
    assert not pipeline.run(NEXT).succeeded
    pipeline.execute(_REPAIR)
    assert pipeline.materialize(STOCK_OUTS, DAY).success
    assert "all models are to be built, because no build of all models has finished" in pipeline.publish(DAY)
    assert pipeline.publication == first
    report = pipeline.run(NEXT)
    assert report.succeeded, report.reasons


@pytest.mark.exhaustive
def test_a_day_that_is_loaded_and_not_validated(pipeline: Selecting) -> None:
    """It is in no mart, so a mart that reads marts may be published; what reads RAW would have its rows."""
    assert pipeline.materialize(INGESTION, AFTER).success
    pipeline.spoil(is_repaired=True)
    assert pipeline.materialize(STOCK_OUTS, NEXT).success
    assert pipeline.publish(NEXT) == ""
    assert pipeline.publication.days == (DAY, NEXT)

    below = 'key:"core/core_keepa_monthly_sold_change"+ and (key:core/* or key:mart/*)'
    assert pipeline.materialize(below, NEXT).success
    refused = pipeline.publish(NEXT)
    assert f"no build of all models has validated the rows of {AFTER}" in refused
    report = pipeline.run(AFTER)
    assert report.succeeded, report.reasons
    assert pipeline.publication.days == (DAY, NEXT, AFTER)

    # A day of the marts whose rows were loaded anew: they hold other rows of it.
    pipeline.execute(f"delete from raw._loads where run_date = '{DAY}'")
    assert pipeline.materialize("key:raw/*", DAY).success
    assert pipeline.materialize(STOCK_OUTS, AFTER).success
    assert f"mart_stock_outs (no build of all models has validated the rows of {DAY})" in pipeline.publish(AFTER)


@pytest.mark.exhaustive
def test_a_test_of_another_model_that_reads_a_built_one_counts(pipeline: Selecting) -> None:
    pipeline.execute("update mart.fct_price_stats set product_key = 'nowhere'")
    red = pipeline.materialize('key:"mart/dim_product"', NEXT)
    assert not red.success
    assert "mart/fct_price_stats: The dbt test relationships_fct_price_stats_product_key" in reason(red)
    assert pipeline.publish(DAY) != ""


def test_a_day_without_raw_is_refused_and_stays_missing(pipeline: Selecting) -> None:
    message = (
        f"{AFTER} has no rows of keepa/product in RAW: materialize raw/keepa_product (or the whole day: "
        f"`vp run --date {AFTER}`)."
    )
    before = pipeline.contents()
    for selection in (STOCK_OUTS, "key:stg/* or key:core/* or key:mart/* or key:monitoring/*"):
        result = pipeline.materialize(selection, AFTER)
        assert message in reason(result)
        assert result.get_asset_check_evaluations() == []
        assert result.get_asset_materialization_events() == []
    assert pipeline.contents() == before
    for key in ("mart_stock_outs", "dim_date"):
        assert str(AFTER) not in pipeline.instance.get_materialized_partitions(dg.AssetKey(["mart", key]))
    # Nothing was built, so the marts are what they were; and the day is done beside one that has its rows.
    assert pipeline.publish(NEXT) == ""
    both = pipeline.materialize(STOCK_OUTS, NEXT, AFTER)
    assert message in reason(both)
    assert [event.partition for event in both.get_asset_materialization_events()] == [str(NEXT)]
    assert "does not include" in str(pipeline.materialize("key:published/*", AFTER).all_events)


def test_marts_that_follow_by_themselves_are_published(pipeline: Selecting) -> None:
    assert pipeline.run(AFTER).succeeded
    definitions = build_definitions(pipeline.settings)
    now = datetime.combine(AFTER + ONE_DAY, time(1), UTC)
    cursor = dg.evaluate_automation_conditions(definitions, pipeline.instance, evaluation_time=now).cursor
    pipeline.execute(
        "update core.core_keepa_price_daily set close_price_minor = close_price_minor + 100 where close_price_minor > 0"
    )
    pipeline.execute("delete from raw._models where model = 'core_keepa_price_daily'")
    before = pipeline.published()
    assert pipeline.materialize('key:"core/core_keepa_price_daily"', AFTER).success
    requested = dg.evaluate_automation_conditions(
        definitions, pipeline.instance, cursor=cursor, evaluation_time=now + timedelta(minutes=1)
    )
    keys = {
        result.key.path[-1]: result.key
        for result in requested.results
        if str(AFTER) in result.true_subset.expensively_compute_partition_keys() and isinstance(result.key, dg.AssetKey)
    }
    assert {"fct_price_history_daily", "mart_deals", "marts", "export", "power_bi"} <= keys.keys()
    result = pipeline.materialize(" or ".join(f'key:"{key.to_user_string()}"' for key in keys.values()), AFTER)
    assert result.success, reason(result)
    assert pipeline.published() == before
    materialized = {event.asset_key for event in result.get_asset_materialization_events()}
    assert materialized == set(keys.values())
