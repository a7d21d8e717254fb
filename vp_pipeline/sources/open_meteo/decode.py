"""Decodes Open-Meteo's responses, as Airbyte lands them, into the tables of `tables.py`.

Here: the decoder's entry point. Not here: its steps (`decoding/`), and what a valid row is (`tables.py`, `enforce.py`).

How a record that cannot become a row is rejected:

- A line that is not a response of the place that was requested is one rejection of `location`.
- A response whose hours cannot be read (its arrays differ in length, a unit is unknown) is one rejection of `hourly`,
  and one of its records: what is in its place is not known.
- Otherwise only the hour is rejected.

`records_in` counts lines in `location`, listed hours in `hourly`.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from vp_pipeline.sources.envelope import Unreadable
from vp_pipeline.sources.landed import Decoded, LandedLine
from vp_pipeline.sources.open_meteo.decoding.assemble import Pieces, assemble
from vp_pipeline.sources.open_meteo.decoding.hours import UnreadableHours, as_measured, number_of_hours, read_hours
from vp_pipeline.sources.open_meteo.decoding.responses import Response, is_number, read_response
from vp_pipeline.sources.open_meteo.tables import HOURLY, LOCATION
from vp_pipeline.sources.open_meteo.variables import BY_NAME

_NUMBERS = ("requested_latitude", "requested_longitude", "latitude", "longitude", "elevation")


def decode(lines: Iterable[LandedLine], not_before: datetime | None = None) -> dict[str, Decoded]:
    """Decode a partition. Both tables are in the result, by name, whether they have rows or not.

    `not_before`: not used: a response of any moment has the hours that it has.

    The order of the lines does not matter. Repeated records count as duplicates; of rows with the same key and
    different values that of the later line stays, and the others are rejected. Raises nothing for bad data.
    """
    locations, hours = Pieces(LOCATION), Pieces(HOURLY)
    for line in lines:
        locations.records_in += 1
        response = read_response(line)
        if isinstance(response, Unreadable):
            locations.reject(line, response.reason, response.piece, response.entity)
            continue
        _read_location(response, locations)
        _read_hours(response, hours)
    return {pieces.table.name: assemble(pieces) for pieces in (locations, hours)}


def _read_location(response: Response, pieces: Pieces) -> None:
    body = response.body
    types = {column.name: column.type for column in LOCATION.columns}
    row: dict[str, Any] = dict(_key(response))
    for name in _NUMBERS:
        value = body.get(name)
        # Coordinates are the vendor's floats: digits beyond a centimetre mean nothing.
        row[name] = (
            as_measured(round(Decimal(value), 7), types[name]) if value is not None and is_number(value) else None
        )
    row["timezone"] = body.get("timezone") if isinstance(body.get("timezone"), str) else None
    offset = body.get("utc_offset_seconds")
    row["utc_offset_seconds"] = offset if isinstance(offset, int) and abs(offset) < 2**63 else None
    pieces.rows.append((response.line, row))


def _read_hours(response: Response, pieces: Pieces) -> None:
    try:
        hours = list(read_hours(response.body))
    except UnreadableHours as problem:
        pieces.records_in += 1
        pieces.reject(response.line, str(problem), response.body["hourly_units"], response.place)
        return
    pieces.records_in += number_of_hours(response.body)
    for hour in hours:
        if hour.problem is not None:
            piece = {"time": hour.time, **hour.values}
            pieces.reject(response.line, hour.problem, piece, response.place)
            continue
        values: Mapping[str, Any] = {name: hour.values.get(name) for name in BY_NAME}
        pieces.rows.append((response.line, {**_key(response), "observed_at": hour.observed_at, **values}))


def _key(response: Response) -> dict[str, Any]:
    dataset = response.body.get("dataset")
    return {
        "location_id": response.place,
        "dataset": dataset if isinstance(dataset, str) else None,
        "snapshot_at": response.extracted_at,
    }
