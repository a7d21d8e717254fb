"""The search for bad days: right whatever is bad, and few builds."""

from collections.abc import Callable, Sequence
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from vp_pipeline.partitions import ONE_DAY
from vp_pipeline.quality.bisection import Bisection, bisect

FIRST = date(2026, 2, 1)
DAYS = [FIRST + ONE_DAY * n for n in range(16)]


def attempts(is_green: Callable[[set[date]], bool]) -> tuple[Callable[[Sequence[date]], bool], list[tuple[date, ...]]]:
    made: list[tuple[date, ...]] = []

    def attempt(days: Sequence[date]) -> bool:
        made.append(tuple(days))
        return is_green(set(days))

    return attempt, made


@given(days=st.sets(st.sampled_from(DAYS)), bad=st.sets(st.sampled_from(DAYS)))
def test_exactly_the_bad_days_are_bad_and_the_last_build_is_of_the_good_ones(days: set[date], bad: set[date]) -> None:
    attempt, made = attempts(lambda included: not included & bad)
    bisection = bisect(sorted(days), attempt)
    assert bisection == Bisection(tuple(sorted(days - bad)), tuple(sorted(days & bad)))
    assert set(made[-1]) == days - bad
    assert len(made) == len(set(made)) or made.count(made[-1]) <= 2  # nothing red is attempted twice


def test_what_it_costs() -> None:
    for bad, most in ((set(), 1), ({DAYS[1]}, 4)):
        attempt, made = attempts(lambda included, bad=bad: not included & bad)
        bisect(DAYS[:3], attempt)
        assert len(made) <= most, (bad, made)
    attempt, made = attempts(lambda included: DAYS[0] not in included)
    bisect(DAYS[:1], attempt)
    assert made == [(DAYS[0],), ()]


def test_red_without_any_day_is_caused_by_none_and_soon_known() -> None:
    attempt, made = attempts(lambda included: False)
    assert bisect(DAYS, attempt) == Bisection(not_caused_by_any_day=True)
    assert len(made) == 3
    assert made[-1] == ()


def test_no_days_are_one_attempt() -> None:
    for green in (True, False):
        attempt, made = attempts(lambda included, green=green: green)
        assert bisect([], attempt) == Bisection(not_caused_by_any_day=not green)
        assert made == [()]


def test_two_days_that_do_not_go_together_leave_the_earlier_one_in() -> None:
    attempt, _ = attempts(lambda included: not {DAYS[0], DAYS[1]} <= included)
    assert bisect(DAYS[:3], attempt) == Bisection((DAYS[0], DAYS[2]), (DAYS[1],))
