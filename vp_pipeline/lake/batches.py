"""Micro-batches: what bronze has of a topic, and how far it was consumed.

Here: a batch's manifest and objects. Not here: consuming (`topics/`), and which batches make
a partition of bronze (the day's record of a sync, `bronze.py`).

A batch has the messages of one partition of the topic between two offsets: an object for each day that they are of. The
objects are written first and the manifest last, under the name of its first offset and only where there is none. So a
message is in one batch, whoever consumes; what a killed process has left is in no manifest, and never read. The next
batch begins where the last one ends: what the brokers know of us is not used.

The names are in `layout.py`: BATCH, the manifest; BATCH_ROWS; FILED, up to which batch the days were filed.
"""

import gzip
from collections.abc import Iterable, Mapping
from datetime import date, datetime

from vp_pipeline.failures import DamagedDataError, PermanentError, remedies
from vp_pipeline.lake import layout
from vp_pipeline.lake.manifests import Document, ManifestObject, SyncRecord, read_document, read_required, verified
from vp_pipeline.lake.objects import Lake, checksum
from vp_pipeline.sources.source import Stream
from vp_pipeline.stored_formats import StoredFormat


class BatchObject(ManifestObject):
    """The lines of one day (UTC)."""

    day: date


class Tail(Document):
    """The last message of a batch, by which a topic that was made again is recognised."""

    offset: int
    sha256: str


class Batch(Document):
    """The messages of a partition with offsets from `first` to before `end`; `number` counts its batches from 1.

    `lost`: the topic had them no more, and a person has accepted that. `tail`: None: it has no message.
    """

    FORMAT = StoredFormat("manifest of a batch")
    REMEDY = "Restore it from a backup: without it nobody knows how far the topic was consumed."

    source: str
    stream: str
    topic: str
    partition: int
    first: int
    end: int
    number: int
    consumed_at: datetime
    objects: tuple[BatchObject, ...]
    tail: Tail | None
    lost: bool

    @property
    def parts(self) -> Mapping[str, object]:
        names = ("source", "stream", "topic", "partition", "first")
        return {name: getattr(self, name) for name in names}

    @property
    def messages(self) -> int:
        return sum(each.records for each in self.objects)

    def __str__(self) -> str:
        what = "lost" if self.lost else f"{self.messages:,} messages"
        return f"offsets {self.first} to {self.end - 1}, {what}"


class FiledBatches(Document):
    """Up to which batch of each partition (`topic/partition`) the days are filed; `waiting`: the objects of days that
    were not over then."""

    FORMAT = StoredFormat("record of filed batches")
    REMEDY = "Move it away: the next run files every day anew, and changes nothing that is right."

    source: str
    stream: str
    filed: Mapping[str, int]
    waiting: Mapping[date, tuple[str, ...]]

    @property
    def parts(self) -> Mapping[str, object]:
        return {"source": self.source, "stream": self.stream}


def last_batches(lake: Lake, stream: Stream, topic: str) -> Mapping[int, Batch]:
    """The last batch of each partition of the topic.

    Raises:
        DamagedDataError: a manifest before it is missing.
    """
    last: dict[int, str] = {}
    count: dict[int, int] = {}
    for found in layout.BATCH.objects(lake, source=stream.source, stream=stream.name, topic=topic):
        partition = found.parts["partition"]
        last[partition], count[partition] = found.path, count.get(partition, 0) + 1  # in order of path: of offsets
    batches = {partition: read_required(lake, path, Batch) for partition, path in sorted(last.items())}
    for partition, batch in batches.items():
        if batch.number != count[partition]:
            raise DamagedDataError(
                f"Of partition {partition} of the topic {topic} the lake has {count[partition]} batches, and the last "
                f"one is number {batch.number}: {lake.location(last[partition])}. {Batch.REMEDY}"
            )
    return batches


def write(lake: Lake, batch: Batch, lines: Mapping[date, bytes]) -> Batch:
    """Writes the objects of a batch and then its manifest; returns it with its objects.

    Raises:
        PermanentError: another process has consumed from the same offset.
    """
    objects = [_object(batch, day, content) for day, content in sorted(lines.items())]
    for each, content in objects:
        lake.write(each.path, content)
    batch = batch.model_copy(update={"objects": tuple(each for each, _ in objects)})
    path = layout.BATCH.path(**batch.parts)
    if lake.write_if(path, batch.to_bytes(), None) is None:
        raise PermanentError(
            f"Partition {batch.partition} of the topic {batch.topic} was consumed from offset {batch.first} by another "
            f"process at the same time ({path}). Its batch counts, and nothing of this one: run the same again."
        )
    return batch


def is_whole(lake: Lake, expected: BatchObject) -> bool:
    """Whether an object is as its manifest has it."""
    found = lake.find(expected.path)
    return found is not None and checksum(found) == expected.sha256


def restore(lake: Lake, batch: Batch, expected: BatchObject, lines: Mapping[date, bytes]) -> None:
    """Writes an object again, from the lines of its batch.

    Raises:
        DamagedDataError: they are not those of before.
    """
    made, content = _object(batch, expected.day, lines.get(expected.day, b""))
    if made != expected:
        raise DamagedDataError(
            f"The object {expected.path} is missing or damaged, and the topic {batch.topic} does not have offsets "
            f"{batch.first} to {batch.end - 1} of partition {batch.partition} as they were. Restore it from a backup."
        )
    lake.write(expected.path, content)


def objects_at(lake: Lake, paths: Iterable[str]) -> list[tuple[Batch, BatchObject]]:
    """The objects at paths that a manifest has named, each with its batch, in order; all of them are whole.

    Raises:
        DamagedDataError: one is missing or differs from its manifest, or the manifest is missing.
    """
    found: list[tuple[Batch, BatchObject]] = []
    for path in sorted(paths):
        parts = layout.BATCH_ROWS.parts(path)
        if parts is None:
            raise DamagedDataError(f"{path} is not the name of an object of a batch. {SyncRecord.REMEDY}")
        batch = read_required(lake, layout.BATCH.path(**parts), Batch)
        named = [each for each in batch.objects if each.path == path]
        if not named:
            raise DamagedDataError(f"{layout.BATCH.path(**parts)} does not name {path}. {Batch.REMEDY}")
        found.append((batch, named[0]))
    for each in (each for _, each in found):
        for _ in verified(lake, (each,), f"Read its messages again: {remedies.resync(each.day)}."):
            pass
    return found


def filed(lake: Lake, stream: Stream) -> FiledBatches:
    """The record of the batches whose days are filed; empty where there is none."""
    found = read_document(lake, _filed_path(stream), FiledBatches)
    return found or FiledBatches(source=stream.source, stream=stream.name, filed={}, waiting={})


def every(lake: Lake, stream: Stream) -> list[Batch]:
    """Every batch, of every topic."""
    return unfiled(lake, stream, FiledBatches(source=stream.source, stream=stream.name, filed={}, waiting={}))


def unfiled(lake: Lake, stream: Stream, record: FiledBatches) -> list[Batch]:
    """The batches that `record` does not have, of every topic."""
    by_place: dict[tuple[str, int], list[str]] = {}
    for found in layout.BATCH.objects(lake, source=stream.source, stream=stream.name):
        by_place.setdefault((found.parts["topic"], found.parts["partition"]), []).append(found.path)
    paths = [
        path
        for (topic, partition), listed in sorted(by_place.items())
        for path in listed[record.filed.get(f"{topic}/{partition}", 0) :]
    ]
    return [read_required(lake, path, Batch) for path in paths]


def record_filed(lake: Lake, stream: Stream, record: FiledBatches) -> None:
    """Replaces the record."""
    lake.write(_filed_path(stream), record.to_bytes())


def _filed_path(stream: Stream) -> str:
    return layout.FILED.path(source=stream.source, stream=stream.name)


def _object(batch: Batch, day: date, lines: bytes) -> tuple[BatchObject, bytes]:
    # No time in the header: the same messages give the same bytes.
    content = gzip.compress(lines, mtime=0)
    path = layout.BATCH_ROWS.path(**batch.parts, end=batch.end, day=day)
    made = BatchObject(path=path, size=len(content), sha256=checksum(content), records=lines.count(b"\n"), day=day)
    return made, content
