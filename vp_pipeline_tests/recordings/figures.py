"""Keepa's own figures (`stats`) of made-up histories, from the vendor's published definitions.

Here: exact integers in plain Python. On purpose nothing is imported, neither from the warehouse's models nor from
the sandbox's `stats.py`, and windows are taken as differences of running totals, where those two clip every stretch:
one mistake is not made three times.

A history is a step function, given as points `(minute, value)` in Keepa minutes: a value holds until the next point,
and the last one holds until `now`. -1 means no offer or no rank.
"""

from collections.abc import Sequence
from typing import Any

DAY = 1440
WINDOWS = (30, 90, 180, 365)
SALES, REFRESHES = 3, 15
NOT_MONEY = {3, 11, 12, 13, 14, 15, 16, 17, 34, 35}
WITH_SHIPPING = {7, *range(18, 30), 32}

Point = tuple[int, int]
Points = Sequence[Point]


def stats_of(csv: Sequence[Sequence[int] | None], *, now: int, tracking_since: int, interval: int) -> dict[str, Any]:
    """The figures of one product.

    Args:
        csv: the whole histories by price type, flat, as an answer has them; null where absent.
        now: Keepa minute of the envelope's timestamp.
        tracking_since: Keepa minute of Keepa's first look.
        interval: days, the `stats` parameter of the request.
    """
    histories = [landed(index, flat) for index, flat in enumerate(csv)]
    begin = now - interval * DAY

    def averages(days: int) -> list[int]:
        return [-1 if i == REFRESHES else average(h, now - days * DAY, now) for i, h in enumerate(histories)]

    def out_of_stock(days: int) -> list[int]:
        start = max(now - days * DAY, tracking_since)
        return [out_of_stock_share(h, start, now) if h and is_money(i) else -1 for i, h in enumerate(histories)]

    def extremes(choose: Any, start: int | None = None) -> list[list[int] | None]:
        return [None if i == REFRESHES else extreme(h, choose, start) for i, h in enumerate(histories)]

    return {
        "current": [h[-1][1] if h else -1 for h in histories],
        "atIntervalStart": [in_force(h, begin) for h in histories],
        "avg": averages(interval),
        **{f"avg{days}": averages(days) for days in WINDOWS},
        "min": extremes(min),
        "max": extremes(max),
        "minInInterval": extremes(min, begin),
        "maxInInterval": extremes(max, begin),
        "isLowest": [i != REFRESHES and is_lowest(h, None) for i, h in enumerate(histories)],
        "isLowest90": [i != REFRESHES and is_lowest(h, now - 90 * DAY) for i, h in enumerate(histories)],
        "outOfStockPercentageInInterval": out_of_stock(interval),
        **{f"outOfStockPercentage{days}": out_of_stock(days) for days in WINDOWS},
        **{f"outOfStockCountAmazon{days}": stock_outs(histories[0], now - days * DAY) for days in (30, 90)},
    }


def is_money(index: int) -> bool:
    """Whether a price type is a price. Types that nobody knows yet are not."""
    return index < 36 and index not in NOT_MONEY


def landed(index: int, flat: Sequence[int] | None) -> Points:
    """A history as points; of triples the price with its shipping, where there is any."""
    if not flat:
        return ()
    if index not in WITH_SHIPPING:
        return list(zip(flat[::2], flat[1::2], strict=True))
    triples = zip(flat[::3], flat[1::3], flat[2::3], strict=True)
    return [(at, -1 if price == -1 else price + max(shipping, 0)) for at, price, shipping in triples]


def running_totals(history: Points, until: int) -> tuple[int, int]:
    """From the first point to `until`: the minutes that had a value, and the sum of value × minutes."""
    minutes = weighted = 0
    ends = [*(at for at, _ in history), until][1:]
    for (at, value), end in zip(history, ends, strict=True):
        held = min(end, until) - at
        if held > 0 and value >= 0:
            minutes += held
            weighted += held * value
    return minutes, weighted


def average(history: Points, start: int, now: int) -> int:
    """The time-weighted mean in [start, now], floored, without the time at -1; -1 where there is no other."""
    minutes_before, weighted_before = running_totals(history, start)
    minutes, weighted = running_totals(history, now)
    if minutes == minutes_before:
        return -1
    return (weighted - weighted_before) // (minutes - minutes_before)


def out_of_stock_share(history: Points, start: int, now: int) -> int:
    """Whole percent of [start, now] without an offer; the time before the first point has none.

    Where one value is all there is in the window, the vendor writes 0 or 100, also if it became true late in it.
    """
    in_window = [value for value, end in values_and_ends(history) if end is None or end > start]
    if len(in_window) == 1:
        return 0 if in_window[0] >= 0 else 100
    in_stock = running_totals(history, now)[0] - running_totals(history, start)[0]
    return 100 - 100 * in_stock // (now - start)


def values_and_ends(history: Points) -> list[tuple[int, int | None]]:
    ends: list[int | None] = [at for at, _ in history[1:]]
    return [(value, end) for (_, value), end in zip(history, [*ends, None], strict=True)]


def in_force(history: Points, minute: int) -> int:
    return next((value for at, value in reversed(history) if at <= minute), -1)


def extreme(history: Points, choose: Any, start: int | None) -> list[int] | None:
    """`[minute, value]`, the first time of the lowest or highest value: of all time, or since `start`.

    A value that was in force at `start` counts from there. `[-1, -1]`: there were values, but before `start` alone.
    The only point of a history keeps its own time.
    """
    offers = [point for point in history if point[1] >= 0]
    if not offers:
        return None
    if start is not None and len(history) > 1:
        offers = since(history, start)
    if not offers:
        return [-1, -1]
    value = choose(value for _, value in offers)
    return [next(at for at, v in offers if v == value), value]


def since(history: Points, start: int) -> list[Point]:
    """The offers of [start, now], the one in force at `start` moved there."""
    before = in_force(history, start)
    return [point for point in [(start, before), *(p for p in history if p[0] > start)] if point[1] >= 0]


def is_lowest(history: Points, start: int | None) -> bool:
    """Whether the present value is the lowest, of all time or since `start`."""
    if not history or history[-1][1] < 0:
        return False
    offers = since(history, start) if start is not None else [point for point in history if point[1] >= 0]
    return history[-1][1] == min(value for _, value in offers)


def stock_outs(amazon: Points, start: int) -> int:
    """How often Amazon ran out since `start`; being out at `start` counts, -1 where it never sold."""
    if not amazon:
        return -1
    before = [(start, in_force(amazon, start))] if amazon[0][0] <= start else []
    values = [value for _, value in [*before, *(point for point in amazon if point[0] > start)]]
    return sum(value < 0 and (k == 0 or values[k - 1] >= 0) for k, value in enumerate(values))
