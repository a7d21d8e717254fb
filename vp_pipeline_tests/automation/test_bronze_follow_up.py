"""Bronze that was materialized on its own: each of its days is followed up, also those that finish together."""

import dagster as dg
import orjson
import pytest

from vp_pipeline.automation.sensors.bronze import PER_TICK, bronze_sensor
from vp_pipeline.quality.freshness import CHECK
from vp_pipeline.sources.keepa.source import PRODUCT
from vp_pipeline_tests.automation.conftest import freshness_of

BRONZE = dg.AssetKey(["bronze", "keepa", "product"])
SILVER = dg.AssetKey(["silver", "keepa", "price"])
DAYS = dg.DailyPartitionsDefinition("2026-01-01")


def evaluate(
    definitions: dg.Definitions, instance: dg.DagsterInstance, cursor: str | None
) -> tuple[list[dg.RunRequest], str | None]:
    sensor = bronze_sensor([PRODUCT], freshness_of(definitions))
    with dg.build_sensor_context(instance, cursor=cursor, repository_def=definitions.get_repository_def()) as context:
        tick = sensor.evaluate_tick(context)
    return list(tick.run_requests or []), tick.cursor


def materialize(instance: dg.DagsterInstance, *days: str, selection: list[dg.AssetKey] | None = None) -> None:
    """A run of bronze over `days`: their events come at the same time."""

    job = dg.Definitions(
        [dg.asset(key=key, partitions_def=DAYS)(lambda: None) for key in (BRONZE, SILVER)]
    ).resolve_implicit_global_asset_job_def()
    run = instance.create_run_for_job(job, asset_selection=frozenset(selection or [BRONZE]))
    for day in days:
        _report(instance, job.name, run.run_id, day)


def _report(instance: dg.DagsterInstance, job: str, run_id: str, day: str) -> None:
    event = dg.DagsterEvent(
        dg.DagsterEventType.ASSET_MATERIALIZATION.value,
        job,
        step_key="bronze",
        event_specific_data=_materialization(day),
    )
    instance.report_dagster_event(event, run_id)


def _materialization(day: str):  # type: ignore[no-untyped-def]
    from dagster._core.events import StepMaterializationData

    return StepMaterializationData(dg.AssetMaterialization(BRONZE, partition=day))


def test_three_partitions_that_finish_together_start_three(
    definitions: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    _, cursor = evaluate(definitions, instance, None)
    materialize(instance, "2026-03-01", "2026-03-02", "2026-03-03")
    requests, cursor = evaluate(definitions, instance, cursor)
    assert [r.partition_key for r in requests] == ["2026-03-01", "2026-03-02", "2026-03-03"]
    assert len({r.run_key for r in requests}) == 3
    for request in requests:
        assert request.tags["vp/follows"] == "bronze/keepa/product"
        layers = {key.path[0] for key in request.asset_selection or ()}
        assert layers == {"silver", "raw", "stg", "core", "mart", "monitoring", "published", "delivery"}
        checks = {check.name for check in request.asset_check_keys or ()}
        assert "dim_product_key_is_unique" in checks
        assert CHECK not in checks
    assert evaluate(definitions, instance, cursor)[0] == []


def test_a_run_that_continues_by_itself_is_left_alone(
    definitions: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    _, cursor = evaluate(definitions, instance, None)
    materialize(instance, "2026-03-01", selection=[BRONZE, SILVER])
    assert evaluate(definitions, instance, cursor)[0] == []


@pytest.mark.parametrize(("job", "followed"), [("bronze_layer", 1), ("daily_pipeline", 0), ("landed_pipeline", 0)])
def test_a_job_of_the_layer_alone_is_followed_up(
    definitions: dg.Definitions, instance: dg.DagsterInstance, job: str, followed: int
) -> None:
    _, cursor = evaluate(definitions, instance, None)
    run = instance.create_run_for_job(definitions.resolve_job_def(job))
    assert run.asset_selection is None
    _report(instance, job, run.run_id, "2026-03-01")
    assert len(evaluate(definitions, instance, cursor)[0]) == followed


def test_a_tick_takes_so_many_and_the_next_the_rest(definitions: dg.Definitions, instance: dg.DagsterInstance) -> None:
    _, cursor = evaluate(definitions, instance, None)
    days = [f"2026-{month:02d}-{day:02d}" for month in (1, 2) for day in range(1, 29)]
    materialize(instance, *days)
    first, cursor = evaluate(definitions, instance, cursor)
    second, cursor = evaluate(definitions, instance, cursor)
    assert len(first) == PER_TICK
    assert [r.partition_key for r in (*first, *second)] == days


def test_what_was_there_before_it_was_switched_on_starts_nothing(
    definitions: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    materialize(instance, "2026-03-01")
    requests, cursor = evaluate(definitions, instance, None)
    assert requests == []
    assert orjson.loads(cursor or "")["bronze/keepa/product"] > 0
    assert evaluate(definitions, instance, cursor)[0] == []
