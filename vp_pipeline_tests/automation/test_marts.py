"""Marts follow an upstream that was rebuilt on its own, and not one whose checks failed: real evaluations."""

from datetime import date

import dagster as dg
import pytest

from vp_pipeline.automation.sensors.marts import rebuilt_by_condition
from vp_pipeline.partitions import newest_finished_day

DAYS = dg.DailyPartitionsDefinition("2026-11-01")
PRICE, RANK, HOURS, DEALS, RAIN, BOTH, ALL = (
    dg.AssetKey(k)
    for k in (
        *(["core", "price"], ["core", "rank"], ["core", "hours"]),
        *(["mart", "deals"], ["mart", "rain"], ["mart", "both"], ["published", "all"]),
    )
)


@dg.multi_asset(
    specs=[
        dg.AssetSpec(PRICE, partitions_def=DAYS),
        dg.AssetSpec(RANK, partitions_def=DAYS),
        dg.AssetSpec(DEALS, deps=[PRICE, RANK], partitions_def=DAYS),
        dg.AssetSpec(HOURS, partitions_def=DAYS),
        dg.AssetSpec(RAIN, deps=[HOURS], partitions_def=DAYS),
        dg.AssetSpec(BOTH, deps=[PRICE, HOURS], partitions_def=DAYS),
        dg.AssetSpec(ALL, deps=[DEALS, RAIN, BOTH], partitions_def=DAYS),
    ],
    check_specs=[dg.AssetCheckSpec("sound", asset=PRICE, blocking=True, partitions_def=DAYS)],
    can_subset=True,
)
def models(context: dg.AssetExecutionContext):  # type: ignore[no-untyped-def]
    for key in sorted(context.selected_asset_keys):
        yield dg.MaterializeResult(key)
        if key == PRICE:
            yield dg.AssetCheckResult(asset_key=PRICE, check_name="sound", passed="bad" not in context.run.tags)


DEFINITIONS = dg.Definitions(rebuilt_by_condition([models], {BOTH}), executor=dg.in_process_executor)


NEWEST = str(newest_finished_day())
FOLLOWING = [(BOTH, NEWEST), (DEALS, NEWEST), (ALL, NEWEST)]


def run(instance: dg.DagsterInstance, day: date, *keys: dg.AssetKey, **tags: str) -> None:
    DEFINITIONS.resolve_implicit_global_asset_job_def().execute_in_process(
        instance=instance, partition_key=str(day), asset_selection=list(keys), tags=tags, raise_on_error=False
    )


@pytest.fixture
def requested(instance: dg.DagsterInstance):  # type: ignore[no-untyped-def]
    cursor = None

    def evaluate() -> list[tuple[dg.AssetKey, str]]:
        nonlocal cursor
        result = dg.evaluate_automation_conditions(DEFINITIONS, instance, cursor=cursor)
        cursor = result.cursor
        return [
            (r.key, day) for r in result.results for day in sorted(r.true_subset.expensively_compute_partition_keys())
        ]

    return evaluate


def test_a_mart_follows_what_it_depends_on(instance: dg.DagsterInstance, requested) -> None:  # type: ignore[no-untyped-def]
    newest = newest_finished_day()
    run(instance, newest, *models.keys)
    assert requested() == []  # a daily run leaves nothing to do
    run(instance, newest, PRICE)
    assert requested() == FOLLOWING
    run(instance, newest, DEALS, ALL)
    assert requested() == []


def test_a_failed_check_holds_it_back(instance: dg.DagsterInstance, requested) -> None:  # type: ignore[no-untyped-def]
    newest = newest_finished_day()
    run(instance, newest, *models.keys)
    requested()
    run(instance, newest, PRICE, bad="yes")
    assert requested() == []
    run(instance, newest, PRICE)
    assert requested() == FOLLOWING


def test_what_is_missing_or_another_day_starts_nothing(instance: dg.DagsterInstance, requested) -> None:  # type: ignore[no-untyped-def]
    newest = newest_finished_day()
    run(instance, newest, PRICE, HOURS)  # RANK is missing
    assert DEALS not in dict(requested())
    run(instance, date(2026, 11, 2), PRICE, RANK)
    assert requested() == []


def test_a_late_source_holds_back_what_is_of_it_alone(instance: dg.DagsterInstance, requested) -> None:  # type: ignore[no-untyped-def]
    newest = newest_finished_day()
    run(instance, newest, PRICE, RANK, DEALS, BOTH, ALL)  # HOURS is late, and so is RAIN
    assert requested() == []
    run(instance, newest, PRICE)
    assert requested() == FOLLOWING
