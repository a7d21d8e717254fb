"""A source whose events come from a Kafka topic: its type, its settings, and a message as it lands.

Here: under which day a message is filed, and the line that it becomes. Not here: consuming the topic (`topics/`), and
what the messages of a source mean (its folder).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib import import_module
from typing import Any, Literal

import orjson
from pydantic import Field, SecretStr, field_validator, model_validator

from vp_pipeline.sources.envelope import Unreadable
from vp_pipeline.sources.landed import CLOCKS_APART, LandedLine
from vp_pipeline.sources.source import Source, Stream
from vp_pipeline.sources.source_settings import SourceSettings
from vp_pipeline.variables import OfOne, OrUnset, ProjectPath

# Older events are damage: a clock that was never set.
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_NAME = re.compile(r"[A-Za-z0-9._-]{1,249}")


class TopicSettings(SourceSettings):
    """The settings of a source that is a Kafka topic. Off until they name its brokers."""

    NEEDED = "bootstrap_servers"

    bootstrap_servers: OfOne[str] = Field(
        default=None,
        description="Brokers of the Kafka cluster that has the topic, separated by commas: HOST:PORT. With them the "
        "source is on; without it is off.",
    )
    topic: OfOne[str] = Field(default=None, description="The name of the topic.")
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="SASL_SSL", description="How brokers are spoken to: encrypted with SSL, signed in to with SASL."
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        default="SCRAM-SHA-512", description="How a user signs in, where the protocol has SASL."
    )
    user: OfOne[str] = Field(
        default=None, description="The user that signs in, where the protocol has SASL. It needs to read the topic."
    )
    password: OrUnset[SecretStr] = Field(default=None, description="The password of that user.")
    ca_file: OrUnset[ProjectPath] = Field(
        default=None, description="A file with the certificates that sign the brokers' own. Empty: those of the system."
    )

    @field_validator("topic")
    @classmethod
    def _is_a_name(cls, value: str | None) -> str | None:
        if value is not None and (not _NAME.fullmatch(value) or value in (".", "..")):
            raise ValueError(f"{value} is no name of a topic: letters, digits, `.`, `_` and `-`")
        return value

    @model_validator(mode="after")
    def _can_be_consumed(self) -> "TopicSettings":
        if self.bootstrap_servers is None:
            return self
        if self.topic is None:
            raise ValueError("bootstrap_servers is set, and topic is not: name the topic")
        if self.security_protocol.startswith("SASL") and (self.user is None or self.password is None):
            raise ValueError(f"with the security_protocol {self.security_protocol} both user and password are needed")
        return self


@dataclass(frozen=True, slots=True)
class Message:
    """A message of a topic. `sent_at`: when it was written to the topic (UTC); None: the topic does not record it.
    `value`: None in a tombstone."""

    partition: int
    offset: int
    sent_at: datetime | None
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Event:
    """What may land of a message. `at`: when it happened (UTC); None: it does not name a moment. `problem`: why it is
    not an event of the source; nothing of the message is in it."""

    at: datetime | None
    data: Mapping[str, Any]
    problem: str | None = None


@dataclass(frozen=True, kw_only=True)
class TopicSource(Source):
    """A source that is one Kafka topic. `reader`: the module whose function `read(value)` returns the `Event` of a
    message, with what may land of it and nothing else; it raises nothing for bad data."""

    settings: type[TopicSettings]
    reader: str

    @property
    def stream(self) -> Stream:
        """Its one stream."""
        (stream,) = self.streams
        return stream

    def landed(self, topic: str, message: Message, read_at: datetime) -> tuple[date, bytes]:
        """The day (UTC) that a message is filed under, and the line that lands. It is the same however often it is
        read: `read_at`, when its batch was first read, counts only for what claims to be younger than that.

        An event is filed under the day on which it happened. What names no moment, or one that cannot be, is filed
        under the day on which it was sent, and the decoder rejects it.
        """
        event: Event = import_module(self.reader).read(message.value)
        latest = min(message.sent_at or read_at, read_at)
        problem, at = event.problem, event.at
        if at is None:
            problem = problem or "it does not name the moment of the event"
        elif at > latest + CLOCKS_APART:
            problem, at = f"the event is of {at:%Y-%m-%d %H:%M} UTC, which was to come when it was sent", None
        elif at < _EARLIEST:
            problem, at = f"the event is of {at:%Y-%m-%d}, before {_EARLIEST:%Y}", None
        line = {
            "topic": topic,
            "partition": message.partition,
            "offset": message.offset,
            "sent_at": message.sent_at and message.sent_at.isoformat(),
            "problem": problem,
            "event": event.data,
        }
        return (at or latest).date(), orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


@dataclass(frozen=True, slots=True)
class LandedEvent:
    """The event of a landed line, and its place in the topic. `sent_at`: UTC, without a zone."""

    topic: str
    partition: int
    offset: int
    sent_at: datetime | None
    data: Mapping[str, Any]

    @property
    def piece(self) -> Mapping[str, Any]:
        """What a person needs to look it up."""
        return {"topic": self.topic, "partition": self.partition, "offset": self.offset, "event": self.data}


def opened_event(line: LandedLine) -> LandedEvent | Unreadable:
    """The event of a landed line, or why it is none, with its offset."""
    try:
        landed = orjson.loads(line.text)
        sent_at = landed["sent_at"] and datetime.fromisoformat(landed["sent_at"]).replace(tzinfo=None)
        found = LandedEvent(landed["topic"], landed["partition"], landed["offset"], sent_at, landed["event"])
        problem = landed["problem"]
    except (ValueError, KeyError, TypeError):
        return Unreadable("not a line that this project has landed", line.text)
    return found if problem is None else Unreadable(problem, found.piece)


def topic_sources(sources: Iterable[Source]) -> tuple[TopicSource, ...]:
    """Those that are topics."""
    return tuple(source for source in sources if isinstance(source, TopicSource))
