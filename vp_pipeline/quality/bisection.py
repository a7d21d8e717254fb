"""Which days of a build are the cause when a test that looks at whole tables fails.

Here: the search, over any `attempt` that builds with some of the days and returns whether every test passed. A day is
whatever can be left out as one, in an order: that of one stream, for example. Not here: building.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

Day = TypeVar("Day", bound=Any)
Attempt = Callable[[Sequence[Day]], bool]


@dataclass(frozen=True)
class Bisection(Generic[Day]):
    """The result: `good` and `bad` divide the days. `not_caused_by_any_day`: it is red without any of them too; then
    both are empty. The last attempt was made with exactly the good days."""

    good: tuple[Day, ...] = ()
    bad: tuple[Day, ...] = ()
    not_caused_by_any_day: bool = False


def bisect(days: Sequence[Day], attempt: Attempt[Day]) -> Bisection[Day]:
    """Divides `days` into good and bad ones, by attempts with all, none, and halves of them.

    A build without bad days costs one attempt. One bad day costs about two more, and two for each halving. Where days
    are good alone and not together, the earlier ones are the good ones.
    """
    if not days:
        return Bisection(not_caused_by_any_day=not attempt([]))
    attempts = _Attempts(attempt)
    good: list[Day] = []
    bad: list[Day] = []
    parts = [sorted(days)]
    while parts:
        part = parts.pop(0)
        if attempts.is_green([*good, *part]):
            good += part
        elif _may_be_caused_otherwise(part, days, attempts) and not attempts.is_green([]):
            return Bisection(not_caused_by_any_day=True)
        elif len(part) == 1:
            bad += part
        else:
            middle = len(part) // 2
            parts[:0] = [part[:middle], part[middle:]]
    if not attempts.ends_with(good):
        return Bisection(not_caused_by_any_day=True)
    return Bisection(tuple(sorted(good)), tuple(sorted(bad)))


@dataclass
class _Attempts(Generic[Day]):
    """The attempts so far. One that was red is not repeated."""

    attempt: Attempt[Day]
    any_green: bool = False
    _red: set[frozenset[Day]] = field(default_factory=set)
    _last: frozenset[Day] | None = None

    def is_green(self, days: Sequence[Day]) -> bool:
        if frozenset(days) in self._red:
            return False
        return self._make(days)

    def ends_with(self, days: Sequence[Day]) -> bool:
        """Whether it is green with exactly these days, as the last attempt of all."""
        return self._last == frozenset(days) or self._make(days)

    def _make(self, days: Sequence[Day]) -> bool:
        self._last = frozenset(days)
        is_green = self.attempt(sorted(days))
        self.any_green |= is_green
        if not is_green:
            self._red.add(self._last)
        return is_green


def _may_be_caused_otherwise(part: Sequence[Day], days: Sequence[Day], attempts: _Attempts[Day]) -> bool:
    """Whether to try without any day before searching on: when the whole is red and one half of it too."""
    return not attempts.any_green and (len(part) < len(days) or len(days) == 1)
