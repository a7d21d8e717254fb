"""Random draws that are the same on every machine and with every numpy release.

Here: seeded draws and the slow random walk that prices and ranks follow. Not here: what is drawn (`histories.py`).

numpy promises a stable stream of raw bits for a bit generator, but not for its distributions: so the
distributions are computed here, from the bits.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Minutes = NDArray[np.int64]

DAY = 1440  # minutes


class Draws:
    """An independent stream of draws for each name, e.g. `Draws(seed, domain, asin, "AMAZON")`."""

    def __init__(self, *name: object) -> None:
        self._name = name
        digest = hashlib.sha256("|".join(map(str, name)).encode()).digest()
        self._bits = np.random.PCG64(int.from_bytes(digest[:16], "big"))

    def named(self, *name: object) -> "Draws":
        """Another stream, independent of how much was drawn from this one."""
        return Draws(*self._name, *name)

    def uniform(self, n: int) -> Floats:
        """`n` draws from [0, 1)."""
        raw = self._bits.random_raw(n)
        return np.asarray((raw >> np.uint64(11)) * 2.0**-53, dtype=np.float64)

    def normal(self, n: int) -> Floats:
        """`n` draws from the standard normal distribution (Box-Muller)."""
        radius = np.sqrt(-2.0 * np.log1p(-self.uniform(n)))
        return np.asarray(radius * np.cos(2.0 * np.pi * self.uniform(n)), dtype=np.float64)

    def waits(self, n: int) -> Floats:
        """`n` exponential draws with mean 1."""
        return np.asarray(-np.log1p(-self.uniform(n)), dtype=np.float64)

    def between(self, low: int, high: int) -> int:
        """One whole number from [low, high]."""
        return low + int(self.uniform(1)[0] * (high - low + 1))

    def choice(self, options: tuple[int, ...], n: int) -> NDArray[np.int64]:
        """`n` of the options, each as likely as often as it is listed."""
        return np.asarray(options, dtype=np.int64)[(self.uniform(n) * len(options)).astype(np.int64)]


def event_minutes(draws: Draws, start: int, end: int, mean_days: float) -> Minutes:
    """Even minutes in [start, end), strictly increasing; many short gaps and a few long ones, `mean_days` on
    average. The first is `start` itself, made even.
    """
    n = int((end - start) / (mean_days * DAY) * 1.3) + 60
    long = draws.uniform(n) < 0.3
    gaps = draws.waits(n) * np.where(long, 2.4, 0.4) * mean_days * DAY
    pairs = np.concatenate(([0], np.cumsum(1 + (gaps / 2).astype(np.int64))))
    minutes: Minutes = 2 * (start // 2 + pairs)
    return minutes[minutes < end]


def random_walk(draws: Draws, minutes: Minutes, knot_days: float, memory: float) -> Floats:
    """A random walk that is pulled back to 0, with standard deviation 1, read at each of `minutes`.

    `knot_days` apart it takes a new direction; `memory` (0 to 1) is what stays of the old value at each knot.
    """
    if not len(minutes):
        return np.zeros(0)
    step = int(knot_days * DAY)
    first = int(minutes[0]) // step
    knots = int(minutes[-1]) // step - first + 2
    kick = (1.0 - memory**2) ** 0.5
    values, value = [], 0.0
    for draw in draws.normal(knots).tolist():
        value = memory * value + kick * draw
        values.append(value)
    at = (first + np.arange(knots)) * step
    return np.asarray(np.interp(minutes, at, values), dtype=np.float64)
