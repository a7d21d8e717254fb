"""One offer through time: the price that a seller asks.

Here: single price histories. Not here: how several offers make a market (`market.py`).
"""

import numpy as np

from vp_pipeline.sandbox.keepa.generated.draws import DAY, Draws, Floats, Minutes, event_minutes, random_walk
from vp_pipeline.sandbox.keepa.generated.step_functions import Points, Values, points, without_repeats

_CENTS = (99, 99, 99, 99, 95, 95, 49, 90, 0)
_YEN = (80, 80, 98, 0, 50)


def asking_price(draws: Draws, start: int, end: int, around: float, digits: int, gap_days: float, out: float) -> Points:
    """A price that changes every `gap_days` on average and is out of stock (-1) at a share `out` of them."""
    minutes = event_minutes(draws.named("when"), start, end, gap_days)
    n = len(minutes)
    level = around * np.exp(
        0.10 * random_walk(draws.named("level"), minutes, 14, 0.9)
        + 0.03 * draws.normal(n)
        + np.where(draws.uniform(n) < 0.1, np.log(0.85), 0.0)
    )
    price = np.where(draws.uniform(n) < out, -1, _shop_price(draws.named("ending"), level, digits))
    return without_repeats(points(minutes, price), draws)


def with_shipping(draws: Draws, offer: Points, digits: int) -> Points:
    """The offer as triples: shipping is free for most, -1 while there is no offer."""
    fees = (0, 0, 0, 399, 599) if digits else (0, 0, 0, 350, 500)
    shipping = draws.choice(fees, len(offer))
    return points(offer[:, 0], offer[:, 1], np.where(offer[:, 1] < 0, -1, shipping))


def list_price(draws: Draws, start: int, end: int, around: float, digits: int) -> Points:
    """The manufacturer's list price: changes rarely, and Amazon shows none at times."""
    minutes = event_minutes(draws.named("when"), start, end, 40.0)
    n = len(minutes)
    level = around * np.exp(0.08 * np.floor(2 * random_walk(draws.named("level"), minutes, 120, 0.8)) / 2)
    ending = np.full(n, 99 if digits else 80, dtype=np.int64)
    price = (level / 100).astype(np.int64) * 100 + ending
    return without_repeats(points(minutes, np.where(draws.uniform(n) < 0.2, -1, price)), draws)


def deals(
    draws: Draws, start: int, end: int, around: float, digits: int, apart_days: float, half_minutes: tuple[int, int]
) -> Points:
    """A price now and then, -1 in between; see `intervals` for `apart_days` and `half_minutes`."""
    begins, ends = intervals(draws, start, end, apart_days, half_minutes)
    level = around * np.exp(0.08 * draws.normal(len(begins)))
    return during(begins, ends, _shop_price(draws.named("ending"), level, digits))


def intervals(
    draws: Draws, start: int, end: int, apart_days: float, half_minutes: tuple[int, int]
) -> tuple[Minutes, Minutes]:
    """Begins and ends of intervals, `apart_days` on average; `half_minutes` bounds their length, in units of two
    minutes.
    """
    begins = event_minutes(draws.named("when"), start, end, apart_days)[1:]
    low, high = half_minutes
    lengths = 2 * (low + (draws.uniform(len(begins)) * (high - low)).astype(np.int64))
    # An interval that would run into the next one ends half way to it.
    nexts = np.concatenate((begins[1:], [end + 4 * DAY]))
    ends = np.minimum(begins + lengths, 2 * ((begins + nexts) // 4))
    keep = (ends > begins) & (ends < end)
    return begins[keep], ends[keep]


def during(begins: Minutes, ends: Minutes, values: Values | int) -> Points:
    """The history of a value that holds within each interval; -1 outside."""
    minutes = np.column_stack((begins, ends)).ravel()
    inside = np.broadcast_to(values, begins.shape)
    return points(minutes, np.column_stack((inside, np.full(len(begins), -1))).ravel())


def _shop_price(draws: Draws, level: Floats, digits: int) -> Values:
    """A price near `level` that ends as shop prices do: .99 and the like, or 80 and the like in whole yen."""
    endings = draws.choice(_CENTS if digits else _YEN, len(level))
    return np.asarray(np.maximum((level / 100).astype(np.int64), 1) * 100 + endings, dtype=np.int64)
