"""What is in quarantine, by source, table and day.

Here: the lines, and reading them. Not here: when they are written (`silver.py` does, with the partition that the rows
were left out of).
"""

import dataclasses
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import TypeAdapter, ValidationError

from vp_pipeline.failures import DamagedDataError, PermanentError
from vp_pipeline.lake import layout
from vp_pipeline.lake.objects import Lake
from vp_pipeline.sources.landed import Rejected
from vp_pipeline.stored_formats import StoredFormat, renamed_field, with_default

# Of each line: a rejected record, and the parts of the file's name. Version 1 has the table alone of those; until 2 the
# entity was called after the first source's.
FORMAT = StoredFormat("quarantine", (with_default(source=None, day=None), renamed_field("asin", "entity")))
_REMEDY = "Move the file away and run its day again: silver is decoded from bronze, and the file written anew."


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
    asked = {"source": source, "table": table, "day": day}
    for found in layout.QUARANTINE.objects(lake, **{part: value for part, value in asked.items() if value is not None}):
        lines = enumerate(lake.read(found.path).splitlines(), start=1)
        rows = tuple(_row(line, f"{found.path}, line {n},", found.parts) for n, line in lines)
        yield Quarantined(**found.parts, rows=rows)


def line_of(row: Rejected, source: str, day: date) -> dict[str, Any]:
    """A rejected record as a line of the quarantine."""
    return FORMAT.mark({**dataclasses.asdict(row), "source": source, "day": day.isoformat()})


def _row(line: bytes, where: str, parts: Mapping[str, object]) -> Rejected:
    stored = FORMAT.parse(line, where, _REMEDY)
    own = {"source": stored.pop("source", None), "table": stored.get("table"), "day": stored.pop("day", None)}
    if any(value is not None and value != str(parts[part]) for part, value in own.items()):
        raise DamagedDataError(f"{where} is of {own['source']}/{own['table']} for {own['day']}: copied here. {_REMEDY}")
    try:
        return TypeAdapter(Rejected).validate_python(stored)
    except ValidationError:
        raise DamagedDataError(f"{where} is no record of the {FORMAT.name}. {_REMEDY}") from None


def _check_known(name: str | None, known: set[str], what: str) -> None:
    if name is not None and name not in known:
        raise PermanentError(f"Unknown {what} {name}. Known: {', '.join(sorted(known))}.")
