"""One offer through time: how a seller asks for a price.

Here: single price histories. Not here: how several offers make a market (`market.py`).
"""

import numpy as np

from vp_pipeline.sandbox.keepa.chance import DAY, Dice, Floats, event_minutes, wander
from vp_pipeline.sandbox.keepa.steps import Points, Values, points, without_repeats

_CENTS = (99, 99, 99, 99, 95, 95, 49, 90, 0)
_YEN = (80, 80, 98, 0, 50)


def asking_price(dice: Dice, start: int, end: int, around: float, digits: int, gap_days: float, out: float) -> Points:
    """A price that changes every `gap_days` on average and is out of stock (-1) at a share `out` of them."""
    minutes = event_minutes(dice.named("when"), start, end, gap_days)
    n = len(minutes)
    level = around * np.exp(
        0.10 * wander(dice.named("level"), minutes, 14, 0.9)
        + 0.03 * dice.normal(n)
        + np.where(dice.uniform(n) < 0.1, np.log(0.85), 0.0)
    )
    price = np.where(dice.uniform(n) < out, -1, _charming(dice.named("ending"), level, digits))
    return without_repeats(points(minutes, price), dice)


def with_shipping(dice: Dice, offer: Points, digits: int) -> Points:
    """The offer as triples: shipping is free for most, -1 while there is no offer."""
    fees = (0, 0, 0, 399, 599) if digits else (0, 0, 0, 350, 500)
    shipping = dice.choice(fees, len(offer))
    return points(offer[:, 0], offer[:, 1], np.where(offer[:, 1] < 0, -1, shipping))


def list_price(dice: Dice, start: int, end: int, around: float, digits: int) -> Points:
    """What the maker asks: changes rarely, and Amazon hides it at times."""
    minutes = event_minutes(dice.named("when"), start, end, 40.0)
    n = len(minutes)
    level = around * np.exp(0.08 * np.floor(2 * wander(dice.named("level"), minutes, 120, 0.8)) / 2)
    ending = np.full(n, 99 if digits else 80, dtype=np.int64)
    price = (level / 100).astype(np.int64) * 100 + ending
    return without_repeats(points(minutes, np.where(dice.uniform(n) < 0.2, -1, price)), dice)


def spells(
    dice: Dice,
    start: int,
    end: int,
    around: float,
    digits: int,
    apart_days: float,
    half_minutes: tuple[int, int],
    value: int | None = None,
) -> Points:
    """A value now and then, -1 in between: deals, and other things that begin and end.

    `half_minutes`: bounds of the length, in units of two minutes. `value`: the same each time, in place of a
    price `around` which each one is.
    """
    begins = event_minutes(dice.named("when"), start, end, apart_days)[1:]
    n = len(begins)
    low, high = half_minutes
    lengths = 2 * (low + (dice.uniform(n) * (high - low)).astype(np.int64))
    # A spell that would run into the next one ends half way to it.
    nexts = np.concatenate((begins[1:], [end + 4 * DAY]))
    ends = np.minimum(begins + lengths, 2 * ((begins + nexts) // 4))
    keep = (ends > begins) & (ends < end)
    begins, ends = begins[keep], ends[keep]
    level = around * np.exp(0.08 * dice.normal(len(begins)))
    on = _charming(dice.named("ending"), level, digits) if value is None else np.full(len(begins), value)
    minutes = np.column_stack((begins, ends)).ravel()
    return points(minutes, np.column_stack((on, np.full(len(begins), -1))).ravel())


def _charming(dice: Dice, level: Floats, digits: int) -> Values:
    """A price near `level` that ends as shop prices do: .99 and the like, or 80 and the like in whole yen."""
    endings = dice.choice(_CENTS if digits else _YEN, len(level))
    return np.asarray(np.maximum((level / 100).astype(np.int64), 1) * 100 + endings, dtype=np.int64)
