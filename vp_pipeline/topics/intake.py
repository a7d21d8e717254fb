"""The intake of a topic: its messages become batches on the lake, and the batches of a day its sync.

Here: from which offset on, how far, and which days are to be run again. Not here: Kafka (`kafka.py`), what is written
(`lake/batches.py`), and what happens to a day then (`assets/`, and the sensor of landed syncs).

The caller holds the lease: one process consumes at a time.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from vp_pipeline.airbyte.interface import Log, Sync
from vp_pipeline.failures import DamagedDataError, PermanentError, listed
from vp_pipeline.lake import batches, bronze
from vp_pipeline.lake.batches import Batch, BatchObject, Tail
from vp_pipeline.lake.manifests import SyncRecord
from vp_pipeline.lake.objects import Lake, checksum
from vp_pipeline.partitions import ONE_DAY, newest_finished_day, start_of
from vp_pipeline.settings import Settings, variable_of
from vp_pipeline.sources.source import Stream, SyncRequest
from vp_pipeline.sources.topic import Message, TopicSource
from vp_pipeline.topics.kafka import open_topic
from vp_pipeline.topics.topic import Chunk, Offsets, Topic

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Consumed:
    """What was consumed: the new batches, and the days that are over and have another sync now. `problems`: why a day
    could not be filed, by day; it waits, and the others do not."""

    batches: tuple[Batch, ...]
    days: tuple[date, ...]
    problems: Mapping[date, str]

    def require_filed(self) -> None:
        """Raises DamagedDataError: a day could not be filed."""
        if self.problems:
            raise DamagedDataError(listed([*self.problems.values()]))

    @property
    def messages(self) -> int:
        return sum(batch.messages for batch in self.batches)


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class TopicIntake:
    """Consumes the topics that the settings name into the lake. `now`: the present (UTC)."""

    settings: Settings
    lake: Lake
    connect: Callable[[Settings, TopicSource], AbstractContextManager[Topic]] = open_topic
    now: Callable[[], datetime] = _now

    def sync(
        self, source: TopicSource, stream: Stream, run_date: date, *, resync: bool = False, log: Log | None = None
    ) -> Sync:
        """The sync of a finished day: everything that the topic has of it now.

        What was consumed before is not consumed again; `resync` reads the messages of a damaged object again, which
        have to be the same. Raises as `consume`.
        """
        if resync:
            self._file(stream, run_date, self._restore(source, run_date), resync=True)
        before = bronze.read_sync(self.lake, stream, run_date)
        self.consume(source, log=log)
        waiting = batches.filed(self.lake, stream).waiting.get(run_date, ())
        record = self._file(stream, run_date, waiting)[0]
        return Sync(record, reused=None if record != before else "what the topic has of the day is there")

    def consume(self, source: TopicSource, *, accept_loss: bool = False, log: Log | None = None) -> Consumed:
        """Consumes what the topic has now, from where the last batch of each partition ends, and files the days of it
        that are over.

        Raises:
            PermanentError: the topic does not have the next messages any more (`accept_loss` records that and goes on),
                is another one than was consumed before, or cannot be read.
            TransientError: the brokers do not respond.
        """
        made: list[Batch] = []
        own = self.settings.of(source)
        with self.connect(self.settings, source) as topic:
            offsets = topic.offsets()
            last = batches.last_batches(self.lake, source.stream, own.topic or "")
            for partition in {**last, **offsets}:
                before, found = last.get(partition), offsets.get(partition, Offsets(0, 0))
                for batch in self._consume_partition(source, topic, partition, found, before, accept_loss=accept_loss):
                    made.append(batch)
                    if log:
                        log(f"{own.topic}/{partition}: {batch}.")
        return Consumed(tuple(made), *self._file_all(source.stream))

    def waiting(self, source: TopicSource) -> str | None:
        """What there is to consume or to file, as a text that stays the same as long as that does; None: nothing.
        Raises as `consume`."""
        own = self.settings.of(source)
        with self.connect(self.settings, source) as topic:
            offsets = topic.offsets()
        last = batches.last_batches(self.lake, source.stream, own.topic or "")
        ends = {partition: batch.end for partition, batch in last.items()}
        spans = {partition: (ends.get(partition, each.low), each.high) for partition, each in offsets.items()}
        new = [f"{partition}:{first}-{end}" for partition, (first, end) in sorted(spans.items()) if first != end]
        record = batches.filed(self.lake, source.stream)
        over = [f"{day}" for day in sorted(record.waiting) if day <= newest_finished_day(self.now())]
        return " ".join([*new, *over]) or None

    def _consume_partition(
        self,
        source: TopicSource,
        topic: Topic,
        partition: int,
        found: Offsets,
        last: Batch | None,
        *,
        accept_loss: bool,
    ) -> Iterator[Batch]:
        if last is not None:
            _require_same_topic(source, topic, found, last)
        if last is not None and last.end < found.low:
            if not accept_loss:
                raise PermanentError(
                    f"Offsets {last.end} to {found.low - 1} of partition {partition} of the topic {last.topic} are "
                    "lost: the topic does not keep them any more, and they were not consumed. If nobody can send them "
                    "again, `.venv/bin/vp consume --accept-loss` records that and goes on with offset "
                    f"{found.low}. Let the topic keep its messages for longer, or consume more often."
                )
            last = batches.write(self.lake, self._batch(source, partition, last, last.end, found.low, lost=True), {})
            yield last
        first = last.end if last else found.low
        while first < found.high:
            chunk = topic.read(partition, first, found.high)
            if chunk.end == first:
                return
            batch = self._batch(source, partition, last, first, chunk.end, tail=_tail(chunk))
            last = batches.write(self.lake, batch, _lines(source, batch, chunk))
            yield last
            first = last.end

    def _batch(
        self,
        source: TopicSource,
        partition: int,
        last: Batch | None,
        first: int,
        end: int,
        *,
        tail: Tail | None = None,
        lost: bool = False,
    ) -> Batch:
        return Batch(
            source=source.name,
            stream=source.stream.name,
            topic=self.settings.of(source).topic or "",
            partition=partition,
            first=first,
            end=end,
            number=last.number + 1 if last else 1,
            consumed_at=self.now(),
            objects=(),
            tail=tail,
            lost=lost,
        )

    def _file_all(self, stream: Stream) -> tuple[tuple[date, ...], Mapping[date, str]]:
        """Files the days of all batches, as far as they are over; returns those that have another sync now, and those
        that could not be filed. A process that was killed before has left the record as it was, so the next one files
        them."""
        record = batches.filed(self.lake, stream)
        unfiled = batches.unfiled(self.lake, stream, record)
        paths = {day: [*those] for day, those in record.waiting.items()}
        for batch in unfiled:
            for each in batch.objects:
                paths.setdefault(each.day, []).append(each.path)
        over = sorted(day for day in paths if day <= newest_finished_day(self.now()))
        changed: list[date] = []
        problems: dict[date, str] = {}
        for day in over:
            try:
                changed += [day] if self._file(stream, day, paths[day])[1] else []
            except DamagedDataError as error:
                problems[day] = str(error)
        if unfiled or over:
            numbers = {**record.filed, **{f"{batch.topic}/{batch.partition}": batch.number for batch in unfiled}}
            left = {day: tuple(those) for day, those in sorted(paths.items()) if day not in over or day in problems}
            batches.record_filed(self.lake, stream, record.model_copy(update={"filed": numbers, "waiting": left}))
        return tuple(changed), problems

    def _file(
        self, stream: Stream, day: date, paths: Iterable[str], *, resync: bool = False
    ) -> tuple[SyncRecord, bool]:
        """The record of a day's sync, with the objects that it has and those at `paths`; and whether it is another one
        than before."""
        existing = bronze.sync_before(self.lake, stream, day, resync=resync)
        known = sorted({*(existing.objects if existing else ()), *paths})
        if existing is not None and tuple(known) == existing.objects:
            return existing, False
        record = _sync_of(stream, day, batches.objects_at(self.lake, known))
        self.lake.write(bronze.sync_path(stream, day), record.to_bytes())
        return record, True

    def _restore(self, source: TopicSource, day: date) -> Sequence[str]:
        """Writes the objects of a day again that are missing or damaged; returns the paths of all that it has, by the
        manifests of every batch."""
        own, stream = self.settings.of(source), source.stream
        made = batches.every(self.lake, stream)
        of_day = [(batch, each) for batch in made for each in batch.objects if each.day == day]
        with self.connect(self.settings, source) as topic:
            for batch, each in of_day:
                if not batches.is_whole(self.lake, each):
                    is_there = batch.topic == own.topic
                    read = topic.read(batch.partition, batch.first, batch.end) if is_there else Chunk((), batch.first)
                    batches.restore(self.lake, batch, each, _lines(source, batch, read))
        return [each.path for _, each in of_day]


def _require_same_topic(source: TopicSource, topic: Topic, found: Offsets, last: Batch) -> None:
    """Raises PermanentError: the topic was made again since its last batch."""
    reason = ""
    if found.high < last.end:
        reason = f"it ends before offset {found.high} now"
    elif last.tail is not None and found.low <= last.tail.offset and last.end < found.high:
        read = topic.read(last.partition, last.tail.offset, last.end).messages
        # Compaction may have removed it.
        if read and read[0].offset == last.tail.offset and _digest(read[0]) != last.tail.sha256:
            reason = f"it has another message at offset {last.tail.offset} now"
    if reason:
        raise PermanentError(
            f"Partition {last.partition} of the topic {last.topic} was consumed to offset {last.end - 1}, and "
            f"{reason}: the topic was made again. Under the same name its messages cannot be told from those before "
            f"it: give the topic another name, and set {variable_of(source, 'topic')} to it. What was consumed stays."
        )


def _lines(source: TopicSource, batch: Batch, chunk: Chunk) -> Mapping[date, bytes]:
    """The lines of a batch's messages, by day."""
    lines: dict[date, list[bytes]] = {}
    for message in chunk.messages:
        day, line = source.landed(batch.topic, message, batch.consumed_at)
        lines.setdefault(day, []).append(line)
    return {day: b"".join(those) for day, those in lines.items()}


def _tail(chunk: Chunk) -> Tail | None:
    return Tail(offset=chunk.messages[-1].offset, sha256=_digest(chunk.messages[-1])) if chunk.messages else None


def _digest(message: Message) -> str:
    return checksum(f"{message.sent_at}\n".encode() + (message.value or b""))


def _sync_of(stream: Stream, day: date, objects: Sequence[tuple[Batch, BatchObject]]) -> SyncRecord:
    """The sync of a day: the same objects give the same record."""
    moments = [batch.consumed_at for batch, _ in objects] or [start_of(day + ONE_DAY)]
    topics = sorted({batch.topic for batch, _ in objects})
    return SyncRecord(
        source=stream.source,
        stream=stream.name,
        run_date=day,
        job_id=(max(moments) - _EPOCH) // timedelta(milliseconds=1),
        origin=f"the topic {', '.join(topics)}" if topics else "the topic, which has nothing of the day",
        fingerprint=checksum(f"{stream.source}/{stream.name}".encode()),
        started_at=min(moments),
        ended_at=max(moments),
        records=sum(each.records for _, each in objects),
        bytes=sum(each.size for _, each in objects),
        objects=tuple(each.path for _, each in objects),
        request=SyncRequest((), 1),
        refused={},
        recorded=False,
    )
