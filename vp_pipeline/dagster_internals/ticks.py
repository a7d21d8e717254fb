"""Evaluations of schedules and sensors that failed.

Dagster has no event and no public query for them; the daemon records them with each schedule and sensor.

Private names:

- `InstigatorState`: what a schedule or sensor is to the instance.
  Guard: `dagster_internals/test_failed_ticks.py::test_failed_ticks_are_listed_with_their_error`
- `InstigatorType`: whether it is a schedule or a sensor.
  Guard: `dagster_internals/test_failed_ticks.py::test_failed_ticks_are_listed_with_their_error`
- `TickStatus`: ticks are filtered by it.
  Guard: `dagster_internals/test_failed_ticks.py::test_failed_ticks_are_listed_with_their_error`
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import dagster as dg
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.scheduler.instigation import InstigatorState, TickStatus

from vp_pipeline.dagster_internals.errors import RecordedError


@dataclass(frozen=True)
class FailedTick:
    """An evaluation of the schedule or sensor `name` that failed; `error` is None where none was recorded."""

    kind: Literal["schedule", "sensor"]
    name: str
    tick_id: str
    error: RecordedError | None


def failed_ticks(instance: dg.DagsterInstance, after: datetime, limit: int) -> Iterator[FailedTick]:
    """Ticks that began after a moment (UTC) and failed: the newest `limit` of each schedule or sensor, oldest first."""
    for state in instance.all_instigator_state():
        yield from _failed_ticks_of(instance, state, after, limit)


def _failed_ticks_of(
    instance: dg.DagsterInstance, state: InstigatorState, after: datetime, limit: int
) -> Iterator[FailedTick]:
    ticks = instance.get_ticks(
        state.instigator_origin_id,
        state.selector_id,
        after=after.timestamp(),
        limit=limit,
        statuses=[TickStatus.FAILURE],
    )
    kind: Literal["schedule", "sensor"] = "schedule" if state.instigator_type == InstigatorType.SCHEDULE else "sensor"
    for tick in reversed(ticks):
        yield FailedTick(kind, state.name, str(tick.tick_id), tick.error)
