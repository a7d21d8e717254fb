"""What earlier days have of a stream, as far as it decides what the next day requests.

Here: the values. Not here: where they are read (`lake/answers/earlier.py`), and what is requested because of them
(`sources/<source>/`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True)
class EarlierAnswer:
    """An answer that an earlier day has of an entity, and that is not excluded. `days`: of history that it was
    requested for; None: all of it."""

    day: date
    days: int | None


@dataclass(frozen=True)
class Doubt:
    """Why the history of an entity may not be whole, although answers cover it: found in those up to `day`."""

    day: date
    reason: str


@dataclass(frozen=True)
class Earlier:
    """What the days before a day have, by entity. `answers`: newest first. `doubts`: the newest of each.

    `own`: what the day itself has requested in an earlier sync, by entity: days of history, or None: all of it.
    """

    answers: Mapping[str, Sequence[EarlierAnswer]] = field(default_factory=dict)
    doubts: Mapping[str, Doubt] = field(default_factory=dict)
    own: Mapping[str, int | None] = field(default_factory=dict)
