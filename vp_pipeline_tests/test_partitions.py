"""Days and windows."""

from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vp_pipeline.failures import PermanentError
from vp_pipeline.partitions import (
    consecutive,
    daily_partitions,
    days_between,
    finished_days,
    newest_finished_day,
    start_of,
    window_of,
)

START = date(2025, 1, 1)
days = st.dates(min_value=START, max_value=date(2035, 1, 1))


def test_the_newest_finished_day_is_over_in_utc() -> None:
    assert newest_finished_day(datetime(2026, 3, 1, 0, 0, tzinfo=UTC)) == date(2026, 2, 28)
    assert newest_finished_day(datetime(2026, 2, 28, 23, 59, 59, tzinfo=UTC)) == date(2026, 2, 27)
    # Half past midnight in Berlin is still the day before in UTC.
    berlin = timezone(timedelta(hours=2))
    assert newest_finished_day(datetime(2026, 7, 2, 0, 30, tzinfo=berlin)) == date(2026, 6, 30)


@given(days)
def test_the_newest_finished_day_is_the_newest_partition(day: date) -> None:
    now = start_of(day) + timedelta(hours=13)
    keys = daily_partitions(day - timedelta(days=3)).get_partition_keys(current_time=now)
    assert keys[-1] == newest_finished_day(now).isoformat()


@given(days, st.integers(0, 400))
def test_a_window_is_half_open(first: date, more: int) -> None:
    range_ = days_between(first, first + timedelta(days=more))
    start, end = window_of(range_)
    assert (start, end) == (first, first + timedelta(days=more + 1))
    assert len(range_) == (end - start).days


@given(st.sets(st.dates(min_value=START, max_value=date(2025, 3, 1))))
def test_consecutive_days_make_windows_that_hold_exactly_them(chosen: set[date]) -> None:
    windows = [window_of(run) for run in consecutive(sorted(chosen))]
    held = [day for start, end in windows for day in days_between(start, end - timedelta(days=1))]
    assert held == sorted(chosen)
    assert all(earlier[1] < later[0] for earlier, later in pairwise(windows))  # none could be joined


@pytest.mark.parametrize(
    ("first", "last", "message"),
    [
        (date(2026, 1, 2), date(2026, 1, 1), "backwards"),
        (date(2024, 12, 31), date(2026, 1, 1), "VP_START_DATE"),
        (date(2026, 1, 1), date(2026, 1, 5), "not over yet: the newest finished UTC day is 2026-01-04"),
    ],
)
def test_days_that_cannot_be_run_are_refused(first: date, last: date, message: str) -> None:
    with pytest.raises(PermanentError, match=message):
        finished_days(first, last, start=START, now=datetime(2026, 1, 5, 12, tzinfo=UTC))
