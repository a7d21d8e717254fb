"""A landed line becomes an order, or is rejected as a whole.

Here: the connector's envelope around the order. Not here: Airbyte's around the record (`sources/envelope.py`), and the
order.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from vp_pipeline.sources.envelope import Unreadable, opened
from vp_pipeline.sources.landed import CLOCKS_APART, LandedLine

VERSIONS = ("2026-01-01", "v0")


@dataclass(frozen=True, slots=True)
class Answer:
    """An order as Amazon answered it. `extracted_at`, `snapshot_at`: UTC, without a zone; the latter is the last moment
    of the day that was requested. `items`: as they came, a list if they are sound; None: the answer has none.
    `api_version`: one of `VERSIONS`."""

    line: LandedLine
    extracted_at: datetime
    snapshot_at: datetime
    api_version: str
    order: Mapping[str, Any]
    items: Any
    unknown: tuple[str, ...]


def read_answer(line: LandedLine, not_before: datetime | None = None) -> Answer | Unreadable:
    """Open both envelopes of a line; an answer to a day before `not_before` (UTC) is of another day."""
    record = opened(line)
    if isinstance(record, Unreadable):
        return record
    return _open(line, record.extracted_at, record.data, not_before)


def _open(
    line: LandedLine, extracted_at: datetime, data: Mapping[str, Any], not_before: datetime | None
) -> Answer | Unreadable:
    version, order = data.get("api_version"), data.get("order")
    if version not in VERSIONS:
        return Unreadable(f"api_version is {version!r}: {' or '.join(VERSIONS)} is allowed", data)
    snapshot_at = _last_moment(data.get("day"))
    if snapshot_at is None:
        return Unreadable(f"day is {data.get('day')!r}: a day from 1970 to 2099 is allowed", data)
    if snapshot_at > extracted_at + CLOCKS_APART:
        return Unreadable(f"day is {data['day']}, which was not over when it was requested", data)
    if not_before is not None and snapshot_at < not_before.replace(tzinfo=None):
        return Unreadable(f"day is {data['day']}, and {not_before:%Y-%m-%d} or later was requested", data)
    if not isinstance(order, dict):
        return Unreadable("order is not an object", data)
    items = order.get("orderItems") if version != "v0" else data.get("items")
    listed = data.get("unknown")
    unknown = tuple(name for name in listed if isinstance(name, str)) if isinstance(listed, list) else ()
    return Answer(line, extracted_at, snapshot_at, version, order, items, unknown)


def _last_moment(value: Any) -> datetime | None:
    try:
        day = date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    if day is None or not 1970 <= day.year <= 2099:
        return None
    return datetime(day.year, day.month, day.day) + timedelta(days=1) - timedelta(milliseconds=1)
