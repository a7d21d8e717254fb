"""A landed line becomes one of Keepa's responses, or is rejected as a whole.

Here: Keepa's envelope around the products. Not here: Airbyte's around the record (`sources/envelope.py`), and the
products.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import orjson
from simdjson import Parser

from vp_pipeline.sources.envelope import alterations, extraction_time
from vp_pipeline.sources.keepa.decoding.numbers import (
    JsonList,
    is_int,
    is_list,
    is_object,
    kind,
    not_an_integer,
    plain,
)
from vp_pipeline.sources.keepa.requests import products_of
from vp_pipeline.sources.keepa.series import KEEPA_EPOCH_MINUTES
from vp_pipeline.sources.landed import ALTERED, CLOCKS_APART, LandedLine

CLOCKS_APART_US = CLOCKS_APART // timedelta(microseconds=1)
# 2011-01-01T00:00Z: Keepa's first minute.
EARLIEST_US = KEEPA_EPOCH_MINUTES * 60_000_000
# 2100-01-01T00:00Z. Later moments are damage: they would not fit every consumer's calendar either.
LATEST_US = 4_102_444_800_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# An array right after a number: `5,[`, or spaced so that this cannot distinguish it (then each array is checked).
# The bracket comes first and the rest looks back, so that the search goes from bracket to bracket, not byte by byte.
_ARRAY_AFTER_NUMBER = re.compile(rb"\[(?:(?<=[0-9\s],\[)|(?<=[0-9\s], \[)|(?<=[\t\r\n]\[)|(?<=\s \[))")


class Response(NamedTuple):
    """One response of Keepa. Times are unix microseconds (UTC). `flat`: no array follows a number. `requested`: the
    products that it was requested for, as `DOMAIN:ASIN`; none: the record does not name them."""

    line: LandedLine
    extracted_us: int
    snapshot_us: int
    products: JsonList
    flat: bool
    requested: tuple[str, ...]


class Unreadable(NamedTuple):
    """Why a line has no usable response, the piece to keep of it, and the products that it was requested for."""

    reason: str
    piece: Any
    requested: tuple[str, ...] = ()


def read_response(parser: Parser, line: LandedLine, not_before: datetime | None = None) -> Response | Unreadable:
    """Open both envelopes of a line; a response of before `not_before` (UTC) is of another day. The parser must not be
    used again while the response is referenced."""
    record = _parse(parser, line.text)
    if isinstance(record, Unreadable):
        return record
    if not is_object(record):
        return Unreadable(f"not a record of Airbyte: {kind(record)} instead of an object", line.text)
    data = record.get("_airbyte_data")
    if not is_object(data):
        return Unreadable(f"_airbyte_data is not an object but {kind(data)}", line.text)
    extracted_at = extraction_time(record.get("_airbyte_extracted_at"))
    if extracted_at is None:
        return Unreadable("_airbyte_extracted_at is neither milliseconds nor an ISO 8601 time", line.text)
    altered = alterations(plain(record.get("_airbyte_meta")))
    if altered:
        return Unreadable(f"{ALTERED}: {altered}", line.text)
    return _open(line, (extracted_at.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1), data, not_before)


def _open(line: LandedLine, extracted_us: int, data: Any, not_before: datetime | None) -> Response | Unreadable:
    requested = data.get("requested")
    requested = products_of(requested) if isinstance(requested, str) else ()
    error = data.get("error")
    if error is not None:
        error_type = error.get("type") if is_object(error) else None
        return Unreadable(f"Keepa responded with an error: {error_type or 'of no type'}", data, requested)
    timestamp, products = data.get("timestamp"), data.get("products")
    if not is_int(timestamp):
        return Unreadable(f"timestamp {not_an_integer(timestamp)}", data)
    problem = _not_of_the_day(timestamp, extracted_us, not_before)
    if problem:
        return Unreadable(f"timestamp is {timestamp}{problem}", data, requested)
    if not is_list(products):
        return Unreadable(f"products is not a list but {kind(products)}", data)
    return Response(
        line, extracted_us, timestamp * 1000, products, _ARRAY_AFTER_NUMBER.search(line.text) is None, requested
    )


def _not_of_the_day(timestamp: int, extracted_us: int, not_before: datetime | None) -> str | None:
    """Why a response of a moment (unix milliseconds) cannot be one of the day."""
    snapshot_us = timestamp * 1000
    if not EARLIEST_US <= snapshot_us < LATEST_US:
        return ": milliseconds from 2011 to 2099 are allowed"
    if snapshot_us > extracted_us + CLOCKS_APART_US:
        return f", {(snapshot_us - extracted_us) // 60_000_000:,} minutes after the sync got the response"
    if not_before is not None and snapshot_us < (not_before - _EPOCH) // timedelta(microseconds=1):
        return f", and responses of the day are of {not_before:%Y-%m-%d %H:%M} UTC or later"
    return None


def _parse(parser: Parser, text: bytes) -> Any:
    try:
        return parser.parse(text)
    except (ValueError, RuntimeError):  # not JSON; or a number beyond 64 bits, which orjson can read
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError as error:
            return Unreadable(f"line is not JSON: {error}", text)
