"""A landed line becomes one of Keepa's responses, or is rejected as a whole.

Here: Airbyte's envelope around the record, and Keepa's around the products. Not here: the products.
"""

import re
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson
from simdjson import Parser

from vp_pipeline.sources.keepa.decoding.numbers import (
    JsonList,
    as_list,
    is_int,
    is_list,
    is_object,
    kind,
    not_an_integer,
)
from vp_pipeline.sources.keepa.series import KEEPA_EPOCH_MINUTES
from vp_pipeline.sources.landed import ALTERED, LandedLine

# A response is no younger than the sync that got it, but two clocks may differ. By more than 15 minutes they cannot:
# S3, which the same machine writes to, refuses its requests then (RequestTimeTooSkewed).
CLOCKS_APART_US = 15 * 60 * 1_000_000
# 2011-01-01T00:00Z: Keepa's first minute.
EARLIEST_US = KEEPA_EPOCH_MINUTES * 60_000_000
# 2100-01-01T00:00Z. Later moments are damage: they would not fit every consumer's calendar either.
LATEST_US = 4_102_444_800_000_000
# An array right after a number: `5,[`, or spaced so that this cannot distinguish it (then each array is checked).
# The bracket comes first and the rest looks back, so that the search goes from bracket to bracket, not byte by byte.
_ARRAY_AFTER_NUMBER = re.compile(rb"\[(?:(?<=[0-9\s],\[)|(?<=[0-9\s], \[)|(?<=[\t\r\n]\[)|(?<=\s \[))")


class Response(NamedTuple):
    """One response of Keepa. Times are unix microseconds (UTC). `flat`: no array follows a number."""

    line: LandedLine
    extracted_us: int
    snapshot_us: int
    products: JsonList
    flat: bool


class Unreadable(NamedTuple):
    """Why a line has no usable response, and the piece to keep of it."""

    reason: str
    piece: Any


def read_response(parser: Parser, line: LandedLine) -> Response | Unreadable:
    """Open both envelopes of a line. The parser must not be used again while the response is referenced."""
    record = _parse(parser, line.text)
    if isinstance(record, Unreadable):
        return record
    if not is_object(record):
        return Unreadable(f"not a record of Airbyte: {kind(record)} instead of an object", line.text)
    data = record.get("_airbyte_data")
    if not is_object(data):
        return Unreadable(f"_airbyte_data is not an object but {kind(data)}", line.text)
    extracted_us = _moment(record.get("_airbyte_extracted_at"))
    if extracted_us is None:
        return Unreadable("_airbyte_extracted_at is neither milliseconds nor an ISO 8601 time", line.text)
    altered = _altered(record.get("_airbyte_meta"))
    if altered:
        return Unreadable(f"{ALTERED}: {altered}", line.text)
    return _open(line, extracted_us, data)


def _open(line: LandedLine, extracted_us: int, data: Any) -> Response | Unreadable:
    error = data.get("error")
    if error is not None:
        error_type = error.get("type") if is_object(error) else None
        return Unreadable(f"Keepa responded with an error: {error_type or 'of no type'}", data)
    timestamp, products = data.get("timestamp"), data.get("products")
    if not is_int(timestamp):
        return Unreadable(f"timestamp {not_an_integer(timestamp)}", data)
    snapshot_us = timestamp * 1000
    if not EARLIEST_US <= snapshot_us < LATEST_US:
        return Unreadable(f"timestamp is {timestamp}: milliseconds from 2011 to 2099 are allowed", data)
    if snapshot_us > extracted_us + CLOCKS_APART_US:
        ahead = (snapshot_us - extracted_us) // 60_000_000
        return Unreadable(f"timestamp is {timestamp}, {ahead:,} minutes after the sync got the response", data)
    if not is_list(products):
        return Unreadable(f"products is not a list but {kind(products)}", data)
    return Response(line, extracted_us, snapshot_us, products, _ARRAY_AFTER_NUMBER.search(line.text) is None)


def _parse(parser: Parser, text: bytes) -> Any:
    try:
        return parser.parse(text)
    except (ValueError, RuntimeError):  # not JSON; or a number beyond 64 bits, which orjson can read
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError as error:
            return Unreadable(f"line is not JSON: {error}", text)


def _moment(value: Any) -> int | None:
    """Airbyte's time of extraction in unix microseconds. Versions write milliseconds, or ISO 8601 (no zone: UTC)."""
    if isinstance(value, str):
        try:
            parsed = datetime.fromisoformat(value)
        except ValueError:
            return None
        moment = parsed.replace(tzinfo=parsed.tzinfo or UTC) - datetime(1970, 1, 1, tzinfo=UTC)
        return (moment.days * 86_400 + moment.seconds) * 1_000_000 + moment.microseconds
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value * 1000 < LATEST_US:
        return round(value * 1000)
    return None


def _altered(meta: Any) -> str:
    """What Airbyte reports as changed in a record (it nulls fields of oversized ones); empty: nothing."""
    if meta is None:
        return ""
    if not is_object(meta):
        return f"_airbyte_meta is not an object but {kind(meta)}"
    changes = meta.get("changes")
    if changes is None:
        return ""
    if not is_list(changes):
        return f"_airbyte_meta.changes is not a list but {kind(changes)}"
    return ", ".join(
        f"{c.get('field')} {c.get('change')} ({c.get('reason')})" if isinstance(c, dict) else str(c)
        for c in as_list(changes)
    )
