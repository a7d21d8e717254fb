"""A decoder's input and output: landed lines in, one table's rows and everything that did not become a row out.

Here: the values that pass between bronze, the decoders and silver. Not here: how a source's lines become rows
(`sources/<source>/decode.py`) and what a valid row is (`sources/enforce.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson

from vp_pipeline.sources.contract import Table

if TYPE_CHECKING:
    import pyarrow as pa

RECORD_LIMIT = 2000
# A response is no younger than the sync that got it, but two clocks may differ. By more than 15 minutes they cannot:
# S3, which the same machine writes to, refuses its requests then (RequestTimeTooSkewed).
CLOCKS_APART = timedelta(minutes=15)
# Every rejection of a record that Airbyte reports as changed begins with these words: they are counted by it.
ALTERED = "altered by Airbyte"


@dataclass(frozen=True, slots=True)
class LandedLine:
    """One line of a bronze object, as landed. `line` counts from 1."""

    object: str
    line: int
    text: bytes


@dataclass(frozen=True, slots=True)
class Received:
    """What a response has of an entity (named as in `SyncRequest`).

    `entity`: None where the response names none that could be one. `requested`: what it responds to; None: the record
    does not name it. `at`: the moment of the response (UTC). `refusal`: why the vendor has no data of it; None: here
    they are.
    """

    entity: str | None
    requested: str | None
    at: datetime | None
    refusal: str | None = None

    @property
    def is_of_request(self) -> bool:
        """Whether it is of what was requested, as far as the record and the response name that."""
        return self.requested is None or self.entity in (None, self.requested)

    @property
    def subject(self) -> str | None:
        """What was requested, or else what came."""
        return self.requested or self.entity


@dataclass(frozen=True)
class Inspection:
    """Counts over landed lines. `altered`: records that Airbyte reports as changed. `unexpected`: fields that the
    decoder does not know, with the number of records that have them. `figures`: other figures to show, such as what the
    responses cost. `received`: what each response has of each entity."""

    records: int
    altered: int
    unexpected: Mapping[str, int]
    figures: Mapping[str, int]
    received: tuple[Received, ...]


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that could not become a row: a row of the quarantine.

    `record` is the offending piece as compact JSON, at most `RECORD_LIMIT` characters (a longer one ends in '…'; a
    line that is not JSON is quoted as it is). `entity`: what the piece is about, as the source
    names it; None where that is unknown.
    """

    table: str
    reason: str
    record: str
    source_object: str
    source_line: int
    entity: str | None = None


@dataclass(frozen=True)
class Decoded:
    """One table's share of a partition.

    `rows` has the table's schema, is sorted by its natural key, valid and unique. `duplicates` counts records equal to
    a kept row in every column. `unreadable` counts the rows that are in place of a quarantined point: the value is
    null, and no other record is behind them. `records_in` is counted while the input is read, before any row is built,
    so that `unaccounted` is a measurement: anything but 0 means that records were lost or invented.
    """

    table: Table
    records_in: int
    rows: "pa.Table"
    duplicates: int
    quarantined: tuple[Rejected, ...]
    unreadable: int = 0

    @property
    def readable(self) -> int:
        """Rows that are records of their own."""
        return self.rows.num_rows - self.unreadable

    @property
    def unaccounted(self) -> int:
        """Records in that are neither a row, nor a duplicate, nor in the quarantine. Must be 0."""
        return self.records_in - self.readable - self.duplicates - len(self.quarantined)


def as_record(piece: Any) -> str:
    """A piece of a response as compact JSON, cut to `RECORD_LIMIT` characters. Timestamps become ISO 8601."""
    return shorten(orjson.dumps(piece, option=orjson.OPT_NON_STR_KEYS))


def shorten(text: bytes) -> str:
    """UTF-8 text cut to `RECORD_LIMIT` characters; bytes that are not UTF-8 become U+FFFD."""
    # A character is at most 4 bytes: no need to decode megabytes to keep 2000 characters.
    short = text[: 4 * RECORD_LIMIT].decode("utf-8", errors="replace")
    return short if len(short) <= RECORD_LIMIT else short[: RECORD_LIMIT - 1] + "…"
