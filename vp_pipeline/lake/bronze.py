"""Bronze: the landed objects of a sync, never changed.

Here: which objects make a partition, and reading them back line by line. Not here: what a line means (`sources`).

The names are in `layout.py`: LANDED, as they landed; SYNC, the finished sync of a partition; BRONZE, the partition.
"""

import gzip
import zlib
from collections.abc import Iterator
from datetime import date, datetime

from vp_pipeline.failures import DamagedDataError, PermanentError, remedies
from vp_pipeline.lake import layout, silver
from vp_pipeline.lake.manifests import (
    BronzeManifest,
    ManifestObject,
    SyncRecord,
    read_document,
    verified,
)
from vp_pipeline.lake.objects import Lake, checksum
from vp_pipeline.partitions import ONE_DAY, start_of
from vp_pipeline.sources.landed import CLOCKS_APART, LandedLine
from vp_pipeline.sources.source import Stream


def sync_path(stream: Stream, run_date: date) -> str:
    return layout.SYNC.path(source=stream.source, stream=stream.name, day=run_date)


def manifest_path(stream: Stream, run_date: date) -> str:
    return layout.BRONZE.path(source=stream.source, stream=stream.name, day=run_date)


def read_sync(lake: Lake, stream: Stream, run_date: date) -> SyncRecord | None:
    """The finished sync of a partition, if there is one."""
    return read_document(lake, sync_path(stream, run_date), SyncRecord)


def sync_before(lake: Lake, stream: Stream, run_date: date, *, resync: bool) -> SyncRecord | None:
    """The record of the sync that a day has; where the day is requested again, one that cannot be read is none: it is
    replaced."""
    try:
        return read_sync(lake, stream, run_date)
    except DamagedDataError:
        if resync:
            return None
        raise


def read_manifest(lake: Lake, stream: Stream, run_date: date) -> BronzeManifest | None:
    """The partition, if it exists."""
    return read_document(lake, manifest_path(stream, run_date), BronzeManifest)


def days(lake: Lake, stream: Stream) -> list[date]:
    """The days that have a partition, in order."""
    return [found.parts["day"] for found in layout.BRONZE.objects(lake, source=stream.source, stream=stream.name)]


def land(lake: Lake, stream: Stream, run_date: date) -> BronzeManifest:
    """Makes the objects of the finished sync the partition, after reading each of them to its end.

    A partition that holds this very sync stays as it is, provided its objects still match its manifest.

    Raises:
        PermanentError: no sync of the day has finished.
        DamagedDataError: an object is missing, truncated or not what was landed, or the records do not add up.
    """
    sync = read_sync(lake, stream, run_date)
    if sync is None:
        raise PermanentError(
            f"No sync of {stream.source}/{stream.name} for {run_date} has finished, so there is nothing to land. "
            f"Materialize {stream.intake}/{stream.source}/{stream.name} for {run_date} first."
        )
    existing = read_manifest(lake, stream, run_date)
    if existing is not None and existing.sync == sync:
        for _ in verified(lake, existing.objects, _remedy(run_date)):
            pass
        return existing
    manifest = BronzeManifest(sync=sync, objects=tuple(_inspect(lake, path, run_date) for path in sync.objects))
    if manifest.records != sync.records:
        raise DamagedDataError(
            f"Sync {sync.job_id} of {stream.source}/{stream.name} for {run_date} reported {sync.records} records, but "
            f"its {len(manifest.objects)} objects hold {manifest.records}. {_remedy(run_date)}"
        )
    if existing is not None:
        job = existing.sync.job_id
        superseded = layout.SUPERSEDED.path(source=stream.source, stream=stream.name, day=run_date, job=job)
        lake.write(superseded, existing.to_bytes())
    lake.write(manifest_path(stream, run_date), manifest.to_bytes())
    return manifest


def not_before(stream: Stream, sync: SyncRecord) -> datetime | None:
    """The first moment that a response of the day may be of; None: any moment.

    A stream that has the present only is requested when the day is over: the tolerance is that of two clocks. A
    response with what was updated on a day is of that day. Recordings are of other moments.
    """
    if stream.replay == "window" or sync.recorded:
        return None
    if stream.is_of_changes:
        return start_of(sync.run_date)
    return start_of(sync.run_date + ONE_DAY) - CLOCKS_APART


def not_after(stream: Stream, sync: SyncRecord) -> datetime | None:
    """The first moment that a response of the day may no longer be of; None: any moment that is not after the sync."""
    return start_of(sync.run_date + ONE_DAY) if stream.is_of_changes and not sync.recorded else None


def recent(lake: Lake, stream: Stream, sync: SyncRecord, days: int) -> list[BronzeManifest]:
    """The newest partitions before the sync's day, at most `days`, that requested the same and that silver was decoded
    from. Requests for the last days are fewer than those for whole histories: each kind is compared with its own."""
    found: list[BronzeManifest] = []
    for day in silver.days_before(lake, stream.tables[0], sync.run_date):
        manifest = read_manifest(lake, stream, day)
        if manifest is not None and _is_alike(manifest.sync, sync):
            found.append(manifest)
        if len(found) == days:
            break
    return found


def _is_alike(one: SyncRecord, other: SyncRecord) -> bool:
    recent = [bool(sync.request and sync.request.recent) for sync in (one, other)]
    return one.fingerprint == other.fingerprint and recent[0] == recent[1]


def lines_of(lake: Lake, manifest: BronzeManifest) -> Iterator[LandedLine]:
    """Every landed line of a partition, in order of object and line.

    Raises:
        DamagedDataError: an object differs from its manifest.
    """
    for item, content in verified(lake, manifest.objects, _remedy(manifest.sync.run_date)):
        for number, text in enumerate(_unzip(item.path, content, manifest.sync.run_date).splitlines(), start=1):
            yield LandedLine(object=item.path, line=number, text=text)


def lines_landed(lake: Lake, sync: SyncRecord) -> Iterator[LandedLine]:
    """Every line that a sync has landed, in order of object and line; it need not be a partition yet.

    Raises:
        DamagedDataError: an object is missing or cannot be read.
    """
    for path in sync.objects:
        content = lake.find(path)
        if content is None:
            raise DamagedDataError(f"The object {path} is missing. {_remedy(sync.run_date)}")
        for number, text in enumerate(_unzip(path, content, sync.run_date).splitlines(), start=1):
            yield LandedLine(object=path, line=number, text=text)


def _inspect(lake: Lake, path: str, run_date: date) -> ManifestObject:
    content = lake.read(path)
    text = _unzip(path, content, run_date)
    if text and not text.endswith(b"\n"):
        raise DamagedDataError(f"The object {path} ends in the middle of a record. {_remedy(run_date)}")
    return ManifestObject(path=path, size=len(content), sha256=checksum(content), records=text.count(b"\n"))


def _unzip(path: str, content: bytes, run_date: date) -> bytes:
    try:
        return gzip.decompress(content)
    except (EOFError, OSError, zlib.error) as error:
        raise DamagedDataError(f"The object {path} is truncated or damaged ({error}). {_remedy(run_date)}") from None


def _remedy(run_date: date) -> str:
    return f"Sync the day again: {remedies.resync(run_date)}, or materialize the asset above with `resync: true`."
