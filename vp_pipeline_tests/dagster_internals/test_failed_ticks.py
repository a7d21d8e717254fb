"""Failed evaluations of schedules and sensors, as the daemon records them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import ManagedGrpcPythonEnvCodeLocationOrigin, RemoteRepositoryOrigin
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    ScheduleInstigatorData,
    TickData,
    TickStatus,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster_shared.error import SerializableErrorInfo

from vp_pipeline.dagster_internals.ticks import FailedTick, failed_ticks

NOW = datetime.now(UTC)
REPOSITORY = RemoteRepositoryOrigin(
    ManagedGrpcPythonEnvCodeLocationOrigin(LoadableTargetOrigin(module_name="anywhere"), "anywhere"), "__repository__"
)


def switch_on(instance: dg.DagsterInstance, kind: InstigatorType, name: str) -> InstigatorState:
    data = ScheduleInstigatorData("@daily") if kind == InstigatorType.SCHEDULE else None
    state = InstigatorState(REPOSITORY.get_instigator_origin(name), kind, InstigatorStatus.RUNNING, data)
    instance.add_instigator_state(state)
    return state


def tick(
    instance: dg.DagsterInstance, state: InstigatorState, minutes: int, error: SerializableErrorInfo | None
) -> str:
    """A tick that began so many minutes ago."""
    data = TickData(
        instigator_origin_id=state.instigator_origin_id,
        instigator_name=state.name,
        instigator_type=state.instigator_type,
        status=TickStatus.FAILURE if error else TickStatus.SKIPPED,
        timestamp=(NOW - timedelta(minutes=minutes)).timestamp(),
        selector_id=state.selector_id,
        error=error,
    )
    return str(instance.create_tick(data).tick_id)


def test_failed_ticks_are_listed_with_their_error(tmp_path: Path) -> None:
    cause = SerializableErrorInfo("the disk is full\n", [], "OSError")
    error = SerializableErrorInfo("Error occurred during the evaluation", [], "SensorExecutionError", cause)
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        sensor = switch_on(instance, InstigatorType.SENSOR, "landed_syncs")
        schedule = switch_on(instance, InstigatorType.SCHEDULE, "nightly")
        tick(instance, sensor, 90, error)
        first, second = tick(instance, sensor, 20, error), tick(instance, sensor, 10, cause)
        tick(instance, sensor, 5, None)
        nightly = tick(instance, schedule, 3, cause)
        found = list(failed_ticks(instance, NOW - timedelta(hours=1), 50))
        assert sorted(found, key=lambda tick: tick.name) == [
            FailedTick("sensor", "landed_syncs", first, error),
            FailedTick("sensor", "landed_syncs", second, cause),
            FailedTick("schedule", "nightly", nightly, cause),
        ]
        newest = [tick.tick_id for tick in failed_ticks(instance, NOW - timedelta(hours=1), 1)]
        assert set(newest) == {second, nightly}
