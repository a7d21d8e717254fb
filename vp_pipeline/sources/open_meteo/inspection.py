"""Counts over Open-Meteo's responses as they landed: of which places they are, how many hours they have and miss.

Here: names of fields, and of which place a response is. Not here: values (`decode.py`), and why a line is not a
response (there too).
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date
from typing import Any

from vp_pipeline.sources.envelope import Record, Unreadable, opened
from vp_pipeline.sources.landed import ALTERED, Inspection, LandedLine, Received
from vp_pipeline.sources.open_meteo.decoding.responses import exact_json, is_of_place, requested
from vp_pipeline.sources.open_meteo.variables import BY_NAME

# What a response has beside its blocks of values, and what the connector adds to it.
_FIELDS = frozenset(
    """
    latitude longitude generationtime_ms utc_offset_seconds timezone timezone_abbreviation elevation location_id model
    hourly hourly_units daily daily_units minutely_15 minutely_15_units current current_units current_weather
    current_weather_units error reason requested requested_latitude requested_longitude requested_from requested_to
    dataset
    """.split()  # noqa: SIM905  names in quotes would be unreadable
)


def inspect(lines: Iterable[LandedLine]) -> Inspection:
    """The places that landed lines are of, the hours that they list and those of the requested days that they do not
    (`hours`, `missing_hours`), unknown fields and hourly variables, and how many records Airbyte changed.

    A line that is not a response counts as a record and nothing else; the decoder reports what is wrong with it.
    """
    records = altered = listed = missing = 0
    unexpected: Counter[str] = Counter()
    received: list[Received] = []
    for line in lines:
        records += 1
        record = opened(line, exact_json)
        if isinstance(record, Unreadable):
            altered += record.reason.startswith(ALTERED)
            continue
        body = record.data
        hourly = body.get("hourly")
        times = hourly.get("time") if isinstance(hourly, dict) else None
        count = len(times) if isinstance(times, list) else 0
        listed += count
        missing += max(0, _requested_hours(body) - count)
        unexpected.update(_unexpected(body))
        received.append(_received(record))
    figures = {"hours": listed, "missing_hours": missing}
    return Inspection(records, altered, dict(unexpected), figures, tuple(received))


def _received(record: Record) -> Received:
    body, at = record.data, record.extracted_at.replace(tzinfo=UTC)
    place = requested(body)
    if body.get("error"):
        return Received(None, place, at, str(body.get("reason") or "no reason given"))
    entity = place if is_of_place(body) else f"{body.get('latitude')},{body.get('longitude')}"
    return Received(entity, place, at)


def _requested_hours(body: Mapping[str, Any]) -> int:
    """The hours of the days that the connector requested; 0: it does not name them, or got a recording of others."""
    if body.get("dataset") == "recorded":
        return 0
    try:
        first, last = (date.fromisoformat(body[name]) for name in ("requested_from", "requested_to"))
    except (KeyError, TypeError, ValueError):
        return 0
    return 24 * ((last - first).days + 1)


def _unexpected(body: Mapping[str, Any]) -> Iterator[str]:
    yield from body.keys() - _FIELDS
    hourly = body.get("hourly")
    if isinstance(hourly, dict):
        yield from (f"hourly.{name}" for name in hourly.keys() - BY_NAME.keys() - {"time"})
