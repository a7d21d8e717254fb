"""Airbyte's envelope around a record, the same for every source.

Here: a landed line as a record, when it was extracted, and what Airbyte changed in it. Not here: what the record means
(each source's decoder).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson

from vp_pipeline.sources.landed import ALTERED, LandedLine

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
