"""A landed line becomes Open-Meteo's response of one place, or is rejected as a whole.

Here: which place and dataset a response is of. Not here: its hours (`hours.py`).

Numbers are read as they are written: whole ones as int, all others as Decimal, never as float.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from vp_pipeline.sources.envelope import Unreadable, opened
from vp_pipeline.sources.landed import LandedLine

# A response names the centre of its cell of the model, which is up to 25 km wide; on a coast a cell of land is taken.
NEAR_DEGREES = 1


@dataclass(frozen=True)
class Response:
    """The response of one place. `extracted_at`: when the sync got it (UTC, without a zone). `place`: what was
    requested. `body`: the response, with what the connector has added to it."""

    line: LandedLine
    extracted_at: datetime
    place: str
    body: Mapping[str, Any]


def read_response(line: LandedLine) -> Response | Unreadable:
    """Opens the envelope of a line, and checks that what is in it is hours of the place that was requested."""
    record = opened(line, exact_json)
    if isinstance(record, Unreadable):
        return record
    place = requested(record.data)
    if place is None:
        return Unreadable("the record does not name the place that was requested", record.data)
    problem = _problem(record.data)
    if problem:
        return Unreadable(problem, record.data, place)
    return Response(line, record.extracted_at, place, record.data)


def exact_json(text: bytes) -> Any:
    """JSON whose numbers are as they are written.

    Raises:
        ValueError: it is not JSON, or not UTF-8.
    """
    return json.loads(text, parse_float=Decimal, parse_constant=_not_json)


def requested(body: Mapping[str, Any]) -> str | None:
    """The place that a response was requested for, as the connector names it."""
    place = body.get("requested")
    return place if isinstance(place, str) and place else None


def is_of_place(body: Mapping[str, Any]) -> bool:
    """Whether the cell of a response is at the place that was requested. False as well where one is not named."""
    names = ("latitude", "longitude", "requested_latitude", "requested_longitude")
    values = [body.get(name) for name in names]
    if not all(is_number(value) for value in values):
        return False
    latitude, longitude, wanted_latitude, wanted_longitude = (Decimal(value) for value in values if value is not None)
    around = abs(longitude - wanted_longitude) % 360
    return abs(latitude - wanted_latitude) <= NEAR_DEGREES and min(around, 360 - around) <= NEAR_DEGREES


def is_number(value: object) -> bool:
    """Whether a JSON value is a number: `true` is none."""
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _problem(body: Mapping[str, Any]) -> str | None:
    if body.get("error"):
        return f"Open-Meteo responded with an error: {body.get('reason') or 'no reason given'}"
    if not isinstance(body.get("hourly"), dict) or not isinstance(body.get("hourly_units"), dict):
        return "the response has no `hourly` with `hourly_units`"
    if not is_of_place(body):
        return f"the response is of {body.get('latitude')}, {body.get('longitude')}, and not of the place requested"
    return None


def _not_json(constant: str) -> object:
    raise ValueError(f"{constant} is not a number of JSON")
