"""What the intake needs of a topic."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from vp_pipeline.sources.topic import Message


@dataclass(frozen=True)
class Offsets:
    """What a partition of a topic has: from `low` to before `high`."""

    low: int
    high: int


@dataclass(frozen=True)
class Chunk:
    """Consecutive messages of a partition, in order; `end`: where to read on. Offsets without a message (compaction,
    transactions) are in it too."""

    messages: tuple[Message, ...]
    end: int


class Topic(Protocol):
    """A topic that can be read."""

    def offsets(self) -> Mapping[int, Offsets]:
        """What each partition has now. Raises PermanentError: there is no such topic, or it may not be read;
        TransientError: the brokers do not respond."""

    def read(self, partition: int, first: int, end: int) -> Chunk:
        """The next messages from offset `first` on, none of `end` or later, and no more than a batch may have. An empty
        chunk that ends at `first`: no more can be read now. Raises as `offsets`."""
