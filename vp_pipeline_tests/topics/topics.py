"""A topic in memory, and an intake of it.

Here: what the tests of the intake share. The topic behaves as Kafka's does; that Kafka's does is tested in
`test_kafka.py`.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from vp_pipeline.lake.objects import Lake
from vp_pipeline.settings import Settings, load_settings
from vp_pipeline.sources.order_events.source import ORDER_EVENTS
from vp_pipeline.sources.topic import Message, TopicSource
from vp_pipeline.topics.intake import TopicIntake
from vp_pipeline.topics.topic import Chunk, Offsets

NAME = "orders"
NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
VARIABLES = {
    "VP_ORDER_EVENTS_BOOTSTRAP_SERVERS": "nowhere:9092",
    "VP_ORDER_EVENTS_TOPIC": NAME,
    "VP_ORDER_EVENTS_SECURITY_PROTOCOL": "PLAINTEXT",
    "VP_SOURCES": "order_events",
}


@dataclass
class MemoryTopic:
    """Partitions with their messages; `low`: the first offset that each still has. `at_most`: of a chunk."""

    partitions: dict[int, list[Message]] = field(default_factory=dict)
    low: dict[int, int] = field(default_factory=dict)
    at_most: int = 1000

    def send(self, value: bytes | None, at: datetime | None, partition: int = 0) -> None:
        own = self.partitions.setdefault(partition, [])
        own.append(Message(partition, len(own), at, value))

    def offsets(self) -> Mapping[int, Offsets]:
        return {n: Offsets(self.low.get(n, 0), len(own)) for n, own in self.partitions.items()}

    def read(self, partition: int, first: int, end: int) -> Chunk:
        assert first >= self.low.get(partition, 0)
        found = self.partitions[partition][first : min(end, first + self.at_most)]
        return Chunk(tuple(found), first + len(found))


def intake(folder: Path, topic: MemoryTopic, now: datetime = NOW, **variables: str) -> TopicIntake:
    """An intake of the topic, at a moment."""

    @contextmanager
    def connect(_: Settings, source: TopicSource) -> Iterator[MemoryTopic]:
        assert source is ORDER_EVENTS
        yield topic

    settings = load_settings({**VARIABLES, **variables, "VP_DATA_DIR": str(folder)})
    return TopicIntake(settings, Lake(settings.lake_dir), connect, lambda: now)


def rows_of(lake: Lake, days: Sequence[Any]) -> list[dict[str, Any]]:
    """The rows that silver makes of the landed days, in order."""
    from vp_pipeline.lake import bronze

    found: list[dict[str, Any]] = []
    for day in days:
        manifest = bronze.land(lake, ORDER_EVENTS.stream, day)
        lines = bronze.lines_of(lake, manifest)
        decoded = ORDER_EVENTS.stream.decode(lines, bronze.not_before(ORDER_EVENTS.stream, manifest.sync))
        table = decoded["order_change"]
        assert table.unaccounted == 0
        found += table.rows.to_pylist()
    return found


def after(seconds: int) -> datetime:
    return NOW - timedelta(days=10) + timedelta(seconds=seconds)
