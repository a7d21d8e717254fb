"""Marts follow an upstream that was rebuilt on its own, and not one whose checks failed: real evaluations."""

from datetime import date

import dagster as dg
import pytest

from vp_pipeline.automation.sensors.marts import rebuilt_by_condition
from vp_pipeline.partitions import newest_finished_day

DAYS = dg.DailyPartitionsDefinition("2026-11-01")
PRICE, RANK, DEALS, RAIN, ALL = (
    dg.AssetKey(k)
    for k in (["core", "price"], ["core", "rank"], ["mart", "deals"], ["mart", "rain"], ["published", "all"])
)


@dg.multi_asset(
    specs=[
        dg.AssetSpec(PRICE, partitions_def=DAYS),
        dg.AssetSpec(RANK, partitions_def=DAYS),
        dg.AssetSpec(DEALS, deps=[PRICE, RANK], partitions_def=DAYS),
        dg.AssetSpec(RAIN, partitions_def=DAYS),
        dg.AssetSpec(ALL, deps=[DEALS, RAIN], partitions_def=DAYS),
    ],
    check_specs=[dg.AssetCheckSpec("sound", asset=PRICE, blocking=True, partitions_def=DAYS)],
    can_subset=True,
)
def models(context: dg.AssetExecutionContext):  # type: ignore[no-untyped-def]
    for key in sorted(context.selected_asset_keys):
        yield dg.MaterializeResult(key)
        if key == PRICE:
            yield dg.AssetCheckResult(asset_key=PRICE, check_name="sound", passed="bad" not in context.run.tags)


DEFINITIONS = dg.Definitions(rebuilt_by_condition([models]), executor=dg.in_process_executor)


NEWEST = str(newest_finished_day())
FOLLOWING = [(DEALS, NEWEST), (ALL, NEWEST)]


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
    run(instance, newest, PRICE, RANK, DEALS, RAIN, ALL)
    assert requested() == []  # a daily run leaves nothing to do
    run(instance, newest, PRICE)
    assert requested() == FOLLOWING
    run(instance, newest, DEALS, ALL)
    assert requested() == []


def test_a_failed_check_holds_it_back(instance: dg.DagsterInstance, requested) -> None:  # type: ignore[no-untyped-def]
    newest = newest_finished_day()
    run(instance, newest, PRICE, RANK, DEALS, RAIN, ALL)
    requested()
    run(instance, newest, PRICE, bad="yes")
    assert requested() == []
    run(instance, newest, PRICE)
    assert requested() == FOLLOWING


def test_what_is_missing_or_another_day_starts_nothing(instance: dg.DagsterInstance, requested) -> None:  # type: ignore[no-untyped-def]
    newest = newest_finished_day()
    run(instance, newest, PRICE)  # RANK is missing
    assert requested() == []
    run(instance, date(2026, 11, 2), PRICE, RANK)
    assert requested() == []


def test_the_publication_waits_for_no_mart_of_a_late_source(instance: dg.DagsterInstance, requested) -> None:  # type: ignore[no-untyped-def]
    newest = newest_finished_day()
    run(instance, newest, PRICE, RANK, DEALS, ALL)  # RAIN is late
    assert requested() == []
    run(instance, newest, PRICE)
    assert requested() == FOLLOWING
