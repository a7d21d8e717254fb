"""Step functions: a value holds until the next point.

Here: histories as arrays of points, reading and merging them. Not here: where the values come from
(`price_series.py`, `ranks_and_reviews.py`).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vp_pipeline.sandbox.keepa.generated.draws import Draws, Minutes

# Rows [t, value] or [t, price, shipping], t in Keepa minutes.
Points = NDArray[np.int64]
Values = NDArray[np.int64]


@dataclass(frozen=True)
class Texts:
    """A history whose values are texts, one or more (sellers, parents): Keepa writes its minutes as texts too."""

    minutes: Minutes
    values: tuple[tuple[str, ...], ...]


def points(minutes: Minutes, *values: Values) -> Points:
    """Rows of one history."""
    return np.column_stack((minutes, *values)).astype(np.int64)


def without_repeats(history: Points, draws: Draws | None = None) -> Points:
    """Drops points that change nothing; with `draws` one in twelve stays, for Keepa repeats some values."""
    if len(history) < 2:
        return history
    changed = np.concatenate(([True], (history[1:, 1:] != history[:-1, 1:]).any(axis=1)))
    if draws is not None:
        changed |= draws.uniform(len(history)) < 1 / 12
    return history[changed]


def in_force(history: Points, minutes: Minutes, column: int = 1) -> Values:
    """The value of `column` that holds at each minute; -1 before the first point."""
    if not len(history):
        return np.full(len(minutes), -1, dtype=np.int64)
    position = np.searchsorted(history[:, 0], minutes, side="right") - 1
    return np.where(position < 0, -1, history[np.maximum(position, 0), column])


def all_minutes(*histories: Points) -> Minutes:
    """Every minute at which one of the histories has a point."""
    return np.unique(np.concatenate([history[:, 0] for history in histories]))


def lowest(candidates: list[Values]) -> Values:
    """The lowest value that is an offer, position by position; -1 where none is."""
    stacked = np.stack(candidates)
    none = np.iinfo(np.int64).max
    best = np.where(stacked < 0, none, stacked).min(axis=0)
    return np.where(best == none, -1, best)


def landed(price: Values, shipping: Values) -> Values:
    """Price with shipping; -1 where there is no offer."""
    return np.where(price < 0, -1, price + np.maximum(shipping, 0))
