"""Keepa's own figures (`stats`), by the vendor's definitions.

Here: plain integers over the arrays as Keepa sends them. On purpose it shares nothing with the warehouse:
these figures are the oracle that the marts are compared with. Not here: which histories were requested.

Figures are of the histories given, in full: a response cut by `days=N` still has figures of all the time before,
so `min`, `max` and a window longer than N days may depend on points that the response does not hold.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from vp_pipeline.sources.keepa.series import SERIES

DAY = 1440
WINDOWS = (30, 90, 180, 365)
SALES, EXTRA_INFO_UPDATES = 3, 15


@dataclass(frozen=True)
class History:
    """One history: when a value became true, and the value (with shipping where there is any)."""

    minutes: list[int]
    values: list[int]
    is_price: bool

    def window(self, start: int, now: int) -> list[tuple[int, int, int]]:
        """`(from, until, value)` of each stretch inside [start, now], the one in force at `start` included."""
        first = max(bisect_right(self.minutes, start) - 1, 0)
        minutes = self.minutes[first:]
        until = [*minutes[1:], now]
        return [
            (max(begin, start), end, value)
            for begin, end, value in zip(minutes, until, self.values[first:], strict=True)
            if begin <= now
        ]


def product_stats(
    csv: Sequence[Sequence[int] | None], *, now: int, tracking_since: int, days: int
) -> dict[str, object]:
    """Keepa's `stats` of one product.

    Args:
        csv: the histories by price type, null where absent; each complete, not cut to some window.
        now: Keepa minute of the envelope's timestamp.
        tracking_since: Keepa minute at which tracking began.
        days: the interval requested (`stats=days`).
    """
    histories = [_history(index, flat) for index, flat in enumerate(csv)]
    begin = now - days * DAY
    figures: dict[str, object] = {
        "current": [h.values[-1] if h else -1 for h in histories],
        "atIntervalStart": [_in_force(h, begin) for h in histories],
        "avg": _averages(histories, now, days),
        "min": [_extreme(index, h, lowest=True) for index, h in enumerate(histories)],
        "max": [_extreme(index, h, lowest=False) for index, h in enumerate(histories)],
        "minInInterval": [_extreme_since(index, h, begin, now, True) for index, h in enumerate(histories)],
        "maxInInterval": [_extreme_since(index, h, begin, now, False) for index, h in enumerate(histories)],
        "isLowest": [_is_lowest(index, h, None, now) for index, h in enumerate(histories)],
        "isLowest90": [_is_lowest(index, h, now - 90 * DAY, now) for index, h in enumerate(histories)],
        "outOfStockPercentageInInterval": _out_of_stock(histories, now, tracking_since, days),
    }
    for window in WINDOWS:
        figures[f"avg{window}"] = _averages(histories, now, window)
        figures[f"outOfStockPercentage{window}"] = _out_of_stock(histories, now, tracking_since, window)
        figures[f"salesRankDrops{window}"] = _rank_drops(histories[SALES], now - window * DAY)
    for window in (30, 90):
        figures[f"outOfStockCountAmazon{window}"] = _stock_outs(histories[0], now - window * DAY, now)
    return figures


def _history(index: int, flat: Sequence[int] | None) -> History | None:
    if not flat:
        return None
    is_price = index < len(SERIES) and SERIES[index].kind == "price"
    if index < len(SERIES) and SERIES[index].with_shipping:
        values = [
            price + shipping if price >= 0 and shipping > 0 else price
            for price, shipping in zip(flat[1::3], flat[2::3], strict=True)
        ]
        return History(list(flat[::3]), values, is_price)
    return History(list(flat[::2]), list(flat[1::2]), is_price)


def _averages(histories: list[History | None], now: int, days: int) -> list[int]:
    """Mean over the time at which there was a value, floored; -1 where there was none. Type 15 has none."""
    return [
        -1 if h is None or index == EXTRA_INFO_UPDATES else _average(h, now - days * DAY, now)
        for index, h in enumerate(histories)
    ]


def _average(history: History, start: int, now: int) -> int:
    weighted = total = 0
    for begin, end, value in history.window(start, now):
        if value >= 0:
            weighted += value * (end - begin)
            total += end - begin
    return weighted // total if total else -1


def _out_of_stock(histories: list[History | None], now: int, tracking_since: int, days: int) -> list[int]:
    """Whole percent of the time since max(window start, tracking_since) without an offer; prices only, else -1.

    Where one stretch with an offer is all there is in the window the vendor reports 0, even if it began late.
    """
    start = max(now - days * DAY, tracking_since)
    shares = []
    for h in histories:
        if h is None or not h.is_price:
            shares.append(-1)
            continue
        stretches = h.window(start, now)
        in_stock = sum(end - begin for begin, end, value in stretches if value >= 0)
        if len(stretches) == 1:
            shares.append(0 if stretches[0][2] >= 0 else 100)
        else:
            shares.append(100 - 100 * in_stock // (now - start))
    return shares


def _extreme(index: int, history: History | None, *, lowest: bool) -> list[int] | None:
    """`[first minute, value]` of the extreme of all time; null where there never was a value."""
    if history is None or index == EXTRA_INFO_UPDATES:
        return None
    offers = [value for value in history.values if value >= 0]
    if not offers:
        return None
    value = min(offers) if lowest else max(offers)
    return [history.minutes[history.values.index(value)], value]


def _extreme_since(index: int, history: History | None, start: int, now: int, lowest: bool) -> list[int] | None:
    """As `_extreme`, inside the window; `[-1, -1]` where there was no value inside but one before.

    A value already in force at the start counts from the start; a history of one point keeps its own minute.
    """
    all_time = _extreme(index, history, lowest=lowest)
    if history is None or all_time is None or len(history.minutes) == 1:
        return all_time
    offers = [(begin, value) for begin, _, value in history.window(start, now) if value >= 0]
    if not offers:
        return [-1, -1]
    value = min(v for _, v in offers) if lowest else max(v for _, v in offers)
    return [next(begin for begin, v in offers if v == value), value]


def _is_lowest(index: int, history: History | None, start: int | None, now: int) -> bool:
    """The present value is the lowest, of all time or since `start`."""
    if history is None or history.values[-1] < 0 or index == EXTRA_INFO_UPDATES:
        return False
    if start is None:
        return history.values[-1] == min(value for value in history.values if value >= 0)
    return history.values[-1] == min(v for _, _, v in history.window(start, now) if v >= 0)


def _in_force(history: History | None, minute: int) -> int:
    position = bisect_right(history.minutes, minute) - 1 if history else -1
    return history.values[position] if history and position >= 0 else -1


def _rank_drops(sales: History | None, start: int) -> int:
    """Points at which the rank got better. Keepa publishes no definition: this is ours, not to be compared."""
    if sales is None:
        return -1
    first = max(bisect_left(sales.minutes, start), 1)
    return sum(0 <= sales.values[position] < sales.values[position - 1] for position in range(first, len(sales.values)))


def _stock_outs(amazon: History | None, start: int, now: int) -> int:
    """How many times Amazon had no offer in the window."""
    if amazon is None:
        return -1
    values = [value for _, _, value in amazon.window(start, now)]
    return sum(v < 0 and (k == 0 or values[k - 1] >= 0) for k, v in enumerate(values))
