"""Airbyte's envelope around a record, the same for every source.

Here: a landed line as a record, when it was extracted, what Airbyte changed in it, and the counts over such lines. Not
here: what a record means (each source's decoder), and what a line is about (its `inspection.py`).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson

from vp_pipeline.sources.landed import ALTERED, Inspection, LandedLine, Received

_EPOCH = datetime(1970, 1, 1)
# Later moments are damage: they would not fit every consumer's calendar either.
_LATEST = datetime(2100, 1, 1)


@dataclass(frozen=True, slots=True)
class Record:
    """The data of a record, and when it was extracted (UTC, without a zone)."""

    data: Mapping[str, Any]
    extracted_at: datetime


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why a line has no usable record, the piece to keep of it, and what it was requested for, where that is known."""

    reason: str
    piece: Any
    entity: str | None = None


def opened(line: LandedLine, loads: Callable[[bytes], Any] = orjson.loads) -> Record | Unreadable:
    """The record of a landed line, exactly as the connector passed it on. `loads` reads its JSON, such as one that has
    decimal numbers; it raises ValueError where it is none."""
    try:
        record = loads(line.text)
    except (ValueError, RecursionError) as error:
        return Unreadable(f"line is not JSON: {error}", line.text)
    if not isinstance(record, dict):
        return Unreadable("not a record of Airbyte: no object", line.text)
    data = record.get("_airbyte_data")
    if not isinstance(data, dict):
        return Unreadable("_airbyte_data is not an object", line.text)
    extracted_at = extraction_time(record.get("_airbyte_extracted_at"))
    if extracted_at is None:
        return Unreadable("_airbyte_extracted_at is neither milliseconds nor an ISO 8601 time", line.text)
    altered = alterations(record.get("_airbyte_meta"))
    return Unreadable(f"{ALTERED}: {altered}", line.text) if altered else Record(data, extracted_at)


def extraction_time(value: object) -> datetime | None:
    """`_airbyte_extracted_at` as UTC, without a zone; None: it is no moment from 1970 to 2099. Versions write
    milliseconds, or ISO 8601 (no zone: UTC)."""
    try:
        if isinstance(value, str):
            parsed = datetime.fromisoformat(value)
            found = parsed.astimezone(UTC).replace(tzinfo=None) if parsed.tzinfo else parsed
        elif isinstance(value, int | float | Decimal) and not isinstance(value, bool):
            found = _EPOCH + timedelta(microseconds=round(value * 1000))
        else:
            return None
    except (ValueError, OverflowError):
        return None
    return found if _EPOCH < found < _LATEST else None


def alterations(meta: Any) -> str:
    """What `_airbyte_meta` reports as changed in the record (Airbyte nulls fields of oversized ones); empty: nothing.
    One that cannot be read is reported too: nobody knows what was changed then."""
    if meta is None:
        return ""
    if not isinstance(meta, dict):
        return f"_airbyte_meta is not an object but {type(meta).__name__}"
    changes = meta.get("changes")
    if changes is None:
        return ""
    if not isinstance(changes, list):
        return f"_airbyte_meta.changes is not a list but {type(changes).__name__}"
    return ", ".join(
        f"{each.get('field')} {each.get('change')} ({each.get('reason')})" if isinstance(each, dict) else str(each)
        for each in changes
    )


# What a line has of an entity, and the names in it that the decoder does not know.
Read = Callable[[LandedLine], tuple[Received, Iterable[str]] | Unreadable]


def inspected(lines: Iterable[LandedLine], read: Read) -> Inspection:
    """How many records there are, and changed ones; the unknown names; and what was received.

    A line that cannot be read counts as a record and nothing else; the decoder reports what is wrong with it.
    """
    records = altered = 0
    unknown: Counter[str] = Counter()
    received: list[Received] = []
    for line in lines:
        records += 1
        found = read(line)
        if isinstance(found, Unreadable):
            altered += found.reason.startswith(ALTERED)
            continue
        received.append(found[0])
        unknown.update(set(found[1]))
    return Inspection(records, altered, dict(unknown), {}, tuple(received))
