"""The daily partition, and everything about days and windows.

A `run_date` is the UTC day `[D 00:00, D+1 00:00)`; as a partition key it is written YYYY-MM-DD. Every window here
and in SQL is half-open: its end is not part of it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from vp_pipeline.dagster_internals import tags as run_tags
from vp_pipeline.failures import PermanentError

if TYPE_CHECKING:
    import dagster as dg

ONE_DAY = timedelta(days=1)
# The first day that may be run where VP_START_DATE is not set. Locally the first partition is later: `environments/`.
EARLIEST = date(2025, 1, 1)


def daily_partitions(start: date) -> "dg.DailyPartitionsDefinition":
    """One partition for each finished UTC day from `start` on."""
    import dagster as dg  # deferred import: commands that only look need days, and not Dagster

    return dg.DailyPartitionsDefinition(start_date=start.isoformat(), timezone="UTC")


def newest_finished_day(now: datetime | None = None) -> date:
    """The last UTC day that is over at `now` (default: the present)."""
    return (now or datetime.now(UTC)).astimezone(UTC).date() - ONE_DAY


def start_of(day: date) -> datetime:
    """The first moment of a UTC day."""
    return datetime.combine(day, time(), UTC)


def window_of(days: Sequence[date]) -> tuple[date, date]:
    """The half-open window `[first, last + 1 day)` that holds all of `days`."""
    return min(days), max(days) + ONE_DAY


def days_between(first: date, last: date) -> list[date]:
    """Every day from `first` to `last`, both included."""
    return [first + ONE_DAY * n for n in range((last - first).days + 1)]


def consecutive(days: Sequence[date]) -> list[list[date]]:
    """`days`, in order, as runs without a gap: the windows that hold all of them and no other day."""
    runs: list[list[date]] = []
    for day in sorted(days):
        if runs and day - runs[-1][-1] == ONE_DAY:
            runs[-1].append(day)
        else:
            runs.append([day])
    return runs


def span(days: Sequence[object]) -> str:
    """Consecutive days, or partition keys, as text: `2026-03-01`, or `2026-03-01 to 2026-03-04`."""
    return f"{days[0]}" if len(days) == 1 else f"{days[0]} to {days[-1]}"


def finished_days(first: date, last: date, *, start: date, now: datetime | None = None) -> list[date]:
    """The days of a request, `first` to `last`, both included.

    Raises:
        PermanentError: the range is backwards, begins before `start`, or ends after the newest finished day.
    """
    newest = newest_finished_day(now)
    if last < first:
        raise PermanentError(f"The range is backwards: {first} is after {last}.")
    if first < start:
        raise PermanentError(f"{first} is before the first partition, {start} (VP_START_DATE).")
    if last > newest:
        raise PermanentError(f"{last} is not over yet: the newest finished UTC day is {newest}.")
    return days_between(first, last)


def parse_days(keys: Iterable[str]) -> list[date]:
    """Partition keys as days, in order."""
    return sorted(date.fromisoformat(key) for key in keys)


def partition_tags(days: Sequence[date]) -> dict[str, str]:
    """The tags that make a run one of these partitions: one day, or a range without a gap, in order."""
    if len(days) == 1:
        return {run_tags.PARTITION: days[0].isoformat()}
    return {run_tags.PARTITION_RANGE_START: days[0].isoformat(), run_tags.PARTITION_RANGE_END: days[-1].isoformat()}


def days_of(tags: Mapping[str, str]) -> tuple[str, str] | None:
    """The first and last partition of a run, by its tags; None: it has none."""
    if run_tags.PARTITION in tags:
        return tags[run_tags.PARTITION], tags[run_tags.PARTITION]
    if run_tags.PARTITION_RANGE_START in tags:
        return tags[run_tags.PARTITION_RANGE_START], tags[run_tags.PARTITION_RANGE_END]
    return None
