"""Which runs are reported, and how often: real runs of a small job, real evaluations of the sensor."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill

from vp_pipeline.automation.notifications.queue import Alerts
from vp_pipeline.automation.notifications.sensors import check_alerts, run_alerts
from vp_pipeline.delivery.outbox import Box

DAYS = dg.DailyPartitionsDefinition("2026-01-01")
UI = "http://dagster.example"


class Fails(Exception):
    pass


@dg.asset(key=["raw", "keepa_price"], partitions_def=DAYS)
def upper(context: dg.AssetExecutionContext) -> None:
    context.log.info("built")


@dg.asset(key=["mart", "deals"], partitions_def=DAYS, deps=[upper])
def lower(context: dg.AssetExecutionContext) -> None:
    if context.run.tags.get("fails"):
        raise Fails(context.run.tags["fails"])


@dg.asset_check(asset=lower, name="plausible")
def plausible(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
    odd = context.run.tags.get("odd")
    return dg.AssetCheckResult(passed=not odd, severity=dg.AssetCheckSeverity.WARN, description=odd)


DEFINITIONS = dg.Definitions(
    [upper, lower],
    asset_checks=[plausible],
    jobs=[
        dg.define_asset_job("daily_pipeline", dg.AssetSelection.all(), partitions_def=DAYS),
        dg.define_asset_job("by_hand", dg.AssetSelection.all(), partitions_def=DAYS),
    ],
    executor=dg.in_process_executor,
)


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path / "slack.jsonl")


Look = Callable[[], list[str]]


@pytest.fixture
def look(instance: dg.DagsterInstance, box: Box) -> Look:
    """One evaluation; the first lines of all messages so far. It has been on before anything happens."""
    sensor = run_alerts(Alerts(box, timedelta(hours=6)), UI)
    cursor: list[str | None] = [None]

    def evaluate() -> list[str]:
        with dg.build_sensor_context(instance, cursor=cursor[0]) as context:
            cursor[0] = sensor.evaluate_tick(context).cursor
        return [entry.content["text"].splitlines()[0] for entry in box.entries()]

    evaluate()
    return evaluate


def run(
    instance: dg.DagsterInstance, day: str = "2026-03-10", job: str = "daily_pipeline", **tags: str
) -> dg.ExecuteInProcessResult:
    return DEFINITIONS.resolve_job_def(job).execute_in_process(
        instance=instance,
        partition_key=day,
        tags={k.replace("__", "/"): v for k, v in tags.items()},
        raise_on_error=False,
    )


def test_a_day_is_reported_once(instance: dg.DagsterInstance, look: Look) -> None:
    run(instance)
    assert look() == ["✅ daily_pipeline succeeded for 2026-03-10"]
    assert len(look()) == 1


def test_what_happened_before_it_was_switched_on_is_old_news(instance: dg.DagsterInstance, box: Box) -> None:
    run(instance)
    sensor = run_alerts(Alerts(box, timedelta(hours=6)), UI)
    with dg.build_sensor_context(instance) as context:
        sensor.evaluate_tick(context)
    assert box.entries() == []


def test_a_start_is_reported_while_the_run_is_still_running(instance: dg.DagsterInstance, look: Look, box: Box) -> None:
    job = DEFINITIONS.resolve_job_def("daily_pipeline")
    started = instance.create_run_for_job(job, tags={"dagster/partition": "2026-03-10"})
    instance.report_dagster_event(
        dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, "daily_pipeline"), started.run_id
    )
    assert look() == ["▶ daily_pipeline started for 2026-03-10"]
    instance.report_run_failed(started)
    assert look()[1:] == ["🔴 daily_pipeline failed for 2026-03-10"]


def test_a_failure_has_step_cause_and_link(instance: dg.DagsterInstance, look: Look, box: Box) -> None:
    result = run(instance, fails="the table is gone")
    assert look() == ["🔴 daily_pipeline failed for 2026-03-10"]
    text = box.entries()[0].content["text"]
    assert "First failing step: mart__deals" in text
    assert "the table is gone" in text
    assert f"{UI}/runs/{result.run_id}" in text


def test_nothing_before_the_last_try(instance: dg.DagsterInstance, look: Look) -> None:
    run(instance, fails="busy", dagster__will_retry="true")
    assert look() == []
    run(instance, fails="busy", dagster__retry_number="1")
    assert look() == ["🔴 daily_pipeline failed for 2026-03-10 after 2 tries"]


def test_the_same_cause_is_reported_once(instance: dg.DagsterInstance, look: Look) -> None:
    run(instance, "2026-03-10", fails="key 1234 refused on 2026-03-10")
    run(instance, "2026-03-11", fails="key 1234 refused on 2026-03-11")
    run(instance, "2026-03-12", fails="the disk is full")
    assert look() == [
        "🔴 daily_pipeline failed for 2026-03-10",
        "🔴 daily_pipeline failed for 2026-03-12",
    ]


def test_three_failing_partitions_of_a_backfill_are_one_message(
    instance: dg.DagsterInstance, look: Look, box: Box
) -> None:
    backfill = PartitionBackfill(
        "bf1", status=BulkActionStatus.REQUESTED, from_failure=False, tags={}, backfill_timestamp=0.0
    )
    instance.add_backfill(backfill)
    for day in ("2026-03-10", "2026-03-11", "2026-03-12"):
        run(instance, day, fails=f"{day} is rotten", dagster__backfill="bf1")
        assert look() == []  # it is still running
    run(instance, "2026-03-13", dagster__backfill="bf1")
    instance.update_backfill(backfill.with_status(BulkActionStatus.COMPLETED_FAILED))
    assert look() == ["🔴 Backfill bf1: 3 runs failed"]
    text = box.entries()[0].content["text"]
    assert "Days: 2026-03-10, 2026-03-11, 2026-03-12" in text
    assert "First failing step: mart__deals" in text
    assert f"{UI}/runs/b/bf1" in text
    assert len(look()) == 1


def test_whoever_launches_a_run_sees_it_fail_and_its_checks_are_reported(
    instance: dg.DagsterInstance, look: Look, box: Box
) -> None:
    run(instance, job="by_hand", fails="typo")
    assert look() == []
    run(instance, job="by_hand", odd="half of the rows are gone")
    assert look() == ["⚠ Checks of by_hand for 2026-03-10"]
    assert "plausible of mart/deals: half of the rows are gone" in box.entries()[0].content["text"]
    run(instance, job="by_hand", fails="nobody looks", dagster__schedule_name="some_schedule")
    assert look()[1:] == ["🔴 by_hand failed for 2026-03-10"]


def test_warnings_of_a_day_are_in_its_message(instance: dg.DagsterInstance, look: Look, box: Box) -> None:
    run(instance, odd="half of the rows are gone")
    assert look() == ["⚠ daily_pipeline succeeded for 2026-03-10"]
    assert "plausible of mart/deals: half of the rows are gone" in box.entries()[0].content["text"]


def test_checks_outside_of_runs_are_reported(instance: dg.DagsterInstance, box: Box) -> None:
    sensor = check_alerts(Alerts(box, timedelta(hours=6)), UI)
    repository = DEFINITIONS.get_repository_def()
    cursor = None

    def evaluation(passed: bool, text: str) -> None:
        instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(
                asset_key=lower.key, check_name="plausible", passed=passed, description=text, metadata={}
            )
        )

    def look_again() -> list[str]:
        nonlocal cursor
        with dg.build_sensor_context(instance, cursor=cursor, repository_def=repository) as context:
            cursor = sensor.evaluate_tick(context).cursor
        return [entry.content["text"].splitlines()[0] for entry in box.entries()]

    evaluation(False, "old news")
    assert look_again() == []
    evaluation(True, "fresh")
    assert look_again() == []
    evaluation(False, "yesterday is missing")
    assert look_again() == ["🔴 Check failed: plausible of mart/deals"]
    assert len(look_again()) == 1


def test_a_disk_that_is_full_loses_no_message(
    instance: dg.DagsterInstance, look: Look, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(instance)

    def full(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("vp_pipeline.documents.append", full)
        with pytest.raises(Exception, match="No space left"):
            look()
    assert look() == ["✅ daily_pipeline succeeded for 2026-03-10"]
