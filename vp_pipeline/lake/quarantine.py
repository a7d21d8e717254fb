"""What is in quarantine, by source, table and day.

Here: reading. Not here: writing (`silver.py` does, with the partition that the rows were left out of).
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import orjson

from vp_pipeline.failures import PermanentError
from vp_pipeline.lake.objects import Lake
from vp_pipeline.sources.landed import Rejected
from vp_pipeline.stored_formats import StoredFormat

FORMAT = StoredFormat("quarantine")  # of each line


@dataclass(frozen=True)
class Quarantined:
    """The quarantine of one table and day."""

    source: str
    table: str
    day: date
    rows: tuple[Rejected, ...]

    @property
    def reasons(self) -> Counter[str]:
        return Counter(row.reason for row in self.rows)


def quarantined(
    lake: Lake, source: str | None = None, table: str | None = None, day: date | None = None
) -> Iterator[Quarantined]:
    """What is in quarantine, in order of source, table and day; each argument narrows it.

    Raises:
        PermanentError: there is no such source or table.
    """
    from vp_pipeline.sources.registry import STREAMS

    tables = [each for _, stream in STREAMS for each in stream.tables]
    _check_known(source, {each.source for each in tables}, "source")
    _check_known(table, {each.name for each in tables if source in (None, each.source)}, "table")
    for info in lake.list("quarantine"):
        _, its_source, its_table, file = info.path.split("/")
        its_day = date.fromisoformat(file.removeprefix("run_date=").removesuffix(".jsonl"))
        if (source or its_source, table or its_table, day or its_day) == (its_source, its_table, its_day):
            lines = map(orjson.loads, lake.read(info.path).splitlines())
            rows = tuple(Rejected(**FORMAT.read(line, info.path)) for line in lines)
            yield Quarantined(its_source, its_table, its_day, rows)


def _check_known(name: str | None, known: set[str], what: str) -> None:
    if name is not None and name not in known:
        raise PermanentError(f"Unknown {what} {name}. Known: {', '.join(sorted(known))}.")
