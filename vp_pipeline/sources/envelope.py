"""Airbyte's envelope around a record, the same for every source.

Here: when a record was extracted, and what Airbyte changed in it. Not here: the record (each source's decoder).
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

_EPOCH = datetime(1970, 1, 1)
# Later moments are damage: they would not fit every consumer's calendar either.
_LATEST = datetime(2100, 1, 1)


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
