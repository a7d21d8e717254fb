"""A day of one stream: what staging includes or excludes as one. Streams do not hold each other back.

Here: the value, and the text in which the days of a build are stored (`raw._builds.days`). Not here: the ledger that
keeps them (`ledger.py`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

Unit = tuple[str, str]  # source and stream


@dataclass(frozen=True, order=True)
class StreamDay:
    """A day (UTC) of a stream; in order of days."""

    day: date
    source: str
    stream: str

    @property
    def unit(self) -> Unit:
        return self.source, self.stream

    def __str__(self) -> str:
        return f"{self.source}/{self.stream} of {self.day}"


def stored_days(days: Iterable[StreamDay]) -> str:
    """Days as they are stored: `source/stream/2026-03-01`, separated by commas."""
    return ",".join(f"{each.source}/{each.stream}/{each.day}" for each in days)


def days_of(text: str) -> tuple[date, ...]:
    """The days in a stored text, each once, in order. One of an earlier version has the days alone."""
    return tuple(sorted({date.fromisoformat(part.rpartition("/")[2]) for part in text.split(",") if part}))


def read_days(text: str) -> tuple[StreamDay, ...]:
    """The days of streams in a stored text; none of an earlier version, which did not name the streams."""
    parts = (part.split("/") for part in text.split(",") if "/" in part)
    return tuple(StreamDay(date.fromisoformat(day), source, stream) for source, stream, day in parts)
