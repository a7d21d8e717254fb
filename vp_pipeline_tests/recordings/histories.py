"""Histories that look like Keepa's: arrays of irregular points, the same ones every time.

Here: times and values. Not here: which product has which (`answers.py`).
"""

from collections.abc import Iterator, Sequence

DAY = 1440
Flat = list[int]


class Chance:
    """Numbers without a pattern; the same ones for a seed on every version of Python."""

    def __init__(self, seed: int) -> None:
        self._state = seed * 2_654_435_761 % 2**32

    def below(self, limit: int) -> int:
        self._state = (self._state * 1_664_525 + 1_013_904_223) % 2**32
        return (self._state >> 8) % limit


def minutes(chance: Chance, first: int, last: int, count: int) -> Iterator[int]:
    """`count` rising minutes: `first`, then one somewhere in each of the equal parts of (first, last]."""
    yield first
    part = (last - first) // max(count - 1, 1)
    for k in range(count - 1):
        yield first + k * part + 1 + chance.below(part)


def pairs(seed: int, first: int, last: int, count: int, low: int, high: int, gap_every: int = 0) -> Flat:
    """`[t, value, …]` with values from `low` to `high`; every `gap_every`-th is -1."""
    chance = Chance(seed)
    flat: Flat = []
    for k, at in enumerate(minutes(chance, first, last, count), start=1):
        value = low + chance.below(high - low + 1)
        flat += [at, -1 if gap_every and k % gap_every == 0 else value]
    return flat


def triples(seed: int, first: int, last: int, count: int, low: int, high: int, gap_every: int = 0) -> Flat:
    """`[t, price, shipping, …]`. Shipping is free, a few hundred, or unknown (-1); without an offer it is -1 too.

    Now and then only the shipping changes, or nothing at all: equal values follow each other, as in Keepa's.
    """
    chance = Chance(seed)
    flat: Flat = []
    price = low
    for k, at in enumerate(minutes(chance, first, last, count), start=1):
        if k % 4:
            price = low + chance.below(high - low + 1)
        shipping = (0, 0, 399, -1)[chance.below(4)]
        flat += [at, -1, -1] if gap_every and k % gap_every == 0 else [at, price, shipping]
    return flat


def since(flat: Sequence[int], width: int, start: int) -> Flat:
    """What `days=N` leaves of a history: the points from `start` on, and the one before, which is still in force."""
    times = flat[::width]
    kept = next((k for k, at in enumerate(times) if at >= start), len(times))
    if kept and (kept == len(times) or times[kept] > start):
        kept -= 1
    return list(flat[kept * width :])


def rank_by_reference(references: Sequence[int], ranks: dict[str, Flat]) -> Flat:
    """The SALES series: in each interval of `[t, category, …]` the rank in that category; -1 where it is -1."""
    flat: Flat = []
    starts, categories = references[::2], references[1::2]
    for start, category, end in zip(starts, categories, [*starts[1:], 2**62], strict=True):
        own = ranks.get(str(category), [])
        points = list(zip(own[::2], own[1::2], strict=True))
        before = [rank for at, rank in points if at <= start]
        flat += [start, before[-1] if before else -1]
        flat += [number for point in points if start < point[0] < end for number in point]
    return flat
