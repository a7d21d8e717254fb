"""Which days of a build are to blame when a test that looks at whole tables is red.

Here: the search, over any `attempt` that builds with some of the days and says whether all was green. Not here:
building.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

Attempt = Callable[[Sequence[date]], bool]


@dataclass(frozen=True)
class Bisection:
    """`good` and `bad` part the days. `elsewhere`: it is red without any of them too, so none is to blame; then both
    are empty. The last attempt was made with exactly the good days."""

    good: tuple[date, ...] = ()
    bad: tuple[date, ...] = ()
    elsewhere: bool = False


def bisect(days: Sequence[date], attempt: Attempt) -> Bisection:
    """Parts `days` into good and bad ones, by attempts with all, none, and halves of them.

    A single sound build costs one attempt. One bad day costs about two more, and two for each halving. Days that are
    sound alone and not together: the earlier ones are the good ones.
    """
    good: list[date] = []
    bad: list[date] = []
    red: set[frozenset[date]] = set()
    last: list[date] | None = None
    any_green = False

    def is_green(wanted: list[date]) -> bool:
        nonlocal last, any_green
        if frozenset(wanted) in red:
            return False
        last = wanted
        if attempt(sorted(wanted)):
            any_green = True
            return True
        red.add(frozenset(wanted))
        return False

    if not days:
        return Bisection(elsewhere=not attempt([]))
    parts = [sorted(days)]
    while parts:
        part = parts.pop(0)
        if is_green([*good, *part]):
            good += part
            continue
        # Before looking further: is it a day's fault at all? The whole and one half of it red is reason to ask.
        if not any_green and (len(part) < len(days) or len(days) == 1) and not is_green([]):
            return Bisection(elsewhere=True)
        if len(part) == 1:
            bad += part
        else:
            middle = len(part) // 2
            parts[:0] = [part[:middle], part[middle:]]
    if last is None or set(last) != set(good):
        red.clear()
        if not is_green(good):
            return Bisection(elsewhere=True)
    return Bisection(tuple(sorted(good)), tuple(sorted(bad)))
