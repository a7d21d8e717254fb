"""The report on one asset and day: whether it was built, and the results of its checks.

Here: the states, and the one place where a report gets its state and its waivers. Not here: the outcomes themselves
(`quality/`), and what Dagster records of a report (`events.py`).
"""

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Any

import dagster as dg

from vp_pipeline.quality.outcome import Outcome, first_blocking
from vp_pipeline.quality.waivers import Waivers


class DayState(Enum):
    """What became of an asset on a day."""

    BUILT = "built"
    BLOCKED = "blocked"  # a blocking check failed, or it could not be built
    REFUSED = "refused"  # not even tried, so no check was evaluated
    NOT_BUILT = "not built"  # for a reason that another report gives; the results of its checks count
    NOT_RESTATED = "not restated"  # of an earlier day: other code made its rows, and they could not be made again


@dataclass(frozen=True)
class DayReport:
    """What became of one asset on one day.

    `reason`: why it is blocked, refused or not restated. `data_version`: a checksum of the content, by which Dagster
    sees that nothing changed.
    """

    state: DayState
    outcomes: Sequence[Outcome] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    data_version: str | None = None
    reason: str | None = None

    @property
    def failed_check(self) -> str | None:
        """The check that blocks it, where one does."""
        failed = first_blocking(self.outcomes)
        return failed.check if failed else None

    @property
    def waived(self) -> list[str]:
        """The failures of this day that a person has waived."""
        return [outcome.description for outcome in self.outcomes if outcome.waived]


Reports = Iterator[tuple[dg.AssetKey, date, DayReport]]


def checked(
    context: dg.AssetExecutionContext,
    key: dg.AssetKey,
    outcomes: Iterable[Outcome],
    metadata: Mapping[str, Any] | None = None,
    data_version: str | None = None,
) -> DayReport:
    """The report on an asset whose checks were evaluated: built, or blocked by the first blocking one that failed and
    that the run does not waive."""
    waivers = waivers_of_run(context)
    decided = [waivers.apply(key, outcome) for outcome in outcomes]
    failed = first_blocking(decided)
    state = DayState.BUILT if failed is None else DayState.BLOCKED
    if failed:
        decided = _own(decided)
    return DayReport(state, decided, metadata or {}, data_version, failed.description if failed else None)


def not_built(report: DayReport) -> DayReport:
    """The same results of an asset that was not built although none of them blocks it."""
    if report.state is not DayState.BUILT:
        return report
    return dataclasses.replace(report, state=DayState.NOT_BUILT, outcomes=_own(report.outcomes))


def _own(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Without those that only follow from the one that blocks the day."""
    return [outcome for outcome in outcomes if not outcome.is_consequence]


def refused(reason: str) -> DayReport:
    """The report on an asset that was not even tried: the newest results of its checks stay as they are."""
    return DayReport(DayState.REFUSED, reason=reason)


def not_restated(report: DayReport) -> DayReport:
    """The report on an asset of an earlier day whose rows were to be made again; the same where they were."""
    return report if report.reason is None else dataclasses.replace(report, state=DayState.NOT_RESTATED)


def not_made(
    context: dg.AssetExecutionContext, keys: Collection[dg.AssetKey], reason: str
) -> Mapping[dg.AssetKey, DayReport]:
    """The reports on the assets of a step that could not make the day. It is one cause, so one check fails with it: the
    first one of the first asset, which is about just that (`assets/keys.py`). No other was evaluated. No waiver lets it
    pass: there is nothing that was built."""
    first = next(spec for spec in context.assets_def.check_specs if spec.asset_key in keys)
    failed = DayReport(DayState.BLOCKED, [Outcome(first.name, False, reason)], reason=reason)
    return {key: failed if key == first.asset_key else DayReport(DayState.NOT_BUILT) for key in sorted(keys)}


def failed_itself(reason: str) -> DayReport:
    """The report on an asset that could not be built, where none of its checks is about that: none was evaluated."""
    return DayReport(DayState.BLOCKED, reason=reason)


def waivers_of_run(context: dg.AssetExecutionContext) -> Waivers:
    """The checks that the run's tag waives."""
    return Waivers.of(context.run.tags)
