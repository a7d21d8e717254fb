"""Which days of a stream silver holds as other code decoded them than the code that is there now.

Here: finding them, and the record that there are none, which spares every run the search. Not here: decoding them again
(`assets/silver.py`).

A day counts with all of its tables. The record is removed before the first day is decoded again and written after the
last one: a run that is killed between them leaves none, and the next one searches.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date

from vp_pipeline.documents import LOG
from vp_pipeline.failures import DamagedDataError
from vp_pipeline.lake import layout, silver
from vp_pipeline.lake.manifests import DecodedDays, SilverManifest, read_document
from vp_pipeline.lake.objects import Lake
from vp_pipeline.sources.source import Stream


def record_path(stream: Stream) -> str:
    return layout.DECODED.path(source=stream.source, stream=stream.name)


def is_up_to_date(lake: Lake, stream: Stream) -> bool:
    """Whether every day of the stream is recorded to be of the present code, as far as it could be decoded again."""
    record = _record(lake, stream)
    return record is not None and record.decoder == stream.code.own


def stale_days(lake: Lake, stream: Stream) -> list[date]:
    """The days that other code decoded, in order. Changes nothing. Reads the record alone where it is of the present
    code, and every manifest of the stream otherwise."""
    record = _record(lake, stream)
    if record is not None and record.decoder == stream.code.own:
        return list(record.left)
    found = sorted({day for table in stream.tables for day in silver.days(lake, table)})
    return _stale(lake, stream, found)


def days_to_restate(lake: Lake, stream: Stream) -> list[date]:
    """The stale days that silver has not tried to decode again with the present code, in order."""
    return [] if is_up_to_date(lake, stream) else stale_days(lake, stream)


@contextmanager
def restating(lake: Lake, stream: Stream) -> Iterator[list[date]]:
    """The stale days, to be decoded again within the block. At its end the record is written: every day is of the
    present code, except those of the stale ones that still are not. After an exception there is no record."""
    was_up_to_date = is_up_to_date(lake, stream)
    days = stale_days(lake, stream)
    if not was_up_to_date:
        lake.delete(record_path(stream))
    yield days
    if days or not was_up_to_date:
        _finish(lake, stream, days)


def _finish(lake: Lake, stream: Stream, days: Iterable[date]) -> None:
    record = DecodedDays(decoder=stream.code.own, left=tuple(_stale(lake, stream, days)))
    found = _record(lake, stream)
    if found is not None and found.decoder != record.decoder:
        # Another run, of other code, has decoded days meanwhile: the next one has to search.
        lake.delete(record_path(stream))
    elif found != record:
        lake.write(record_path(stream), record.to_bytes())


def _stale(lake: Lake, stream: Stream, days: Iterable[date]) -> list[date]:
    return [day for day in days if not _is_current(lake, stream, day)]


def _is_current(lake: Lake, stream: Stream, day: date) -> bool:
    paths = (silver.manifest_path(table, day) for table in stream.tables)
    try:
        return all(_decoder(lake, path) == stream.code.own for path in paths)
    except DamagedDataError:
        return False  # decoding it again replaces it


def _decoder(lake: Lake, path: str) -> str | None:
    manifest = read_document(lake, path, SilverManifest)
    return manifest.decoder if manifest else None


def _record(lake: Lake, stream: Stream) -> DecodedDays | None:
    try:
        return read_document(lake, record_path(stream), DecodedDays)
    except DamagedDataError as error:
        LOG.warning("%s The search writes it anew.", error)
        return None
