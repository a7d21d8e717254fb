"""A Kafka topic, read with librdkafka.

Here: reading from an offset that the caller names. No group is joined and no offset is committed: where to go on is in
the lake (`lake/batches.py`). Not here: what becomes of the messages (`intake.py`).
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from vp_pipeline.failures import PermanentError, PipelineError, TransientError
from vp_pipeline.settings import Settings, variable_of
from vp_pipeline.sources.topic import Message, TopicSettings, TopicSource
from vp_pipeline.topics.topic import Chunk, Offsets

if TYPE_CHECKING:
    from confluent_kafka import Consumer, KafkaError

# A batch: what one object may have, and what a process may hold.
MOST_MESSAGES, MOST_BYTES = 50_000, 32_000_000
_TIMEOUT_SECONDS = 10.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@contextmanager
def open_topic(settings: Settings, source: TopicSource) -> Iterator["KafkaTopic"]:
    """The topic of a source; nothing is requested before it is used.

    Raises:
        PermanentError: the settings name none, or the client is not installed.
    """
    own = settings.of(source)
    if own.bootstrap_servers is None or own.topic is None:
        raise PermanentError(f"{source.name} has no brokers: set {variable_of(source, 'bootstrap_servers')}.")
    try:
        from confluent_kafka import Consumer
    except ImportError:
        raise PermanentError(
            "Kafka's client is not installed: `.venv/bin/pip install --constraint constraints.txt '.[kafka]'`."
        ) from None
    errors: list[KafkaError] = []
    consumer = Consumer({**_configuration(own), "error_cb": errors.append})
    try:
        yield KafkaTopic(consumer, source, own.topic, own.bootstrap_servers, errors)
    finally:
        consumer.close()


def _configuration(settings: TopicSettings) -> dict[str, Any]:
    signing_in: dict[str, Any] = {}
    if settings.security_protocol.startswith("SASL") and settings.password is not None:
        signing_in = {
            "sasl.mechanism": settings.sasl_mechanism,
            "sasl.username": settings.user,
            "sasl.password": settings.password.get_secret_value(),
        }
    return {
        "bootstrap.servers": settings.bootstrap_servers,
        "security.protocol": settings.security_protocol,
        **signing_in,
        **({"ssl.ca.location": str(settings.ca_file)} if settings.ca_file else {}),
        "group.id": "vp-pipeline",  # the client needs a name; none is joined
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "enable.partition.eof": True,
        "auto.offset.reset": "error",
        "allow.auto.create.topics": False,
        "isolation.level": "read_committed",
        "log_level": 0,  # what goes wrong is in the errors
    }


@dataclass(frozen=True)
class KafkaTopic:
    """The implementation of `Topic`. `errors`: what the client has reported meanwhile."""

    consumer: "Consumer"
    source: TopicSource
    name: str
    servers: str
    errors: "list[KafkaError]" = field(default_factory=list)

    def offsets(self) -> Mapping[int, Offsets]:
        """See `Topic.offsets`."""
        from confluent_kafka import KafkaException

        try:
            found = self.consumer.list_topics(self.name, timeout=_TIMEOUT_SECONDS).topics[self.name]
            if found.error is not None:
                raise self._failure(found.error)
            return {partition: Offsets(*self._ends(partition)) for partition in sorted(found.partitions)}
        except KafkaException as error:
            raise self._failure(error.args[0]) from None

    def read(self, partition: int, first: int, end: int) -> Chunk:
        """See `Topic.read`."""
        from confluent_kafka import KafkaError, KafkaException, TopicPartition

        messages: list[Message] = []
        size, position = 0, first
        try:
            self.consumer.assign([TopicPartition(self.name, partition, first)])
            while position < end and len(messages) < MOST_MESSAGES and size < MOST_BYTES:
                found = self._next(partition, position)
                error = found.error()
                if error is not None and error.code() != KafkaError._PARTITION_EOF:
                    raise self._failure(error)
                at = found.offset() or 0
                if error is not None or at >= end:
                    # The end of what may be read; a transaction that is still open may be before `end`.
                    position = min(at, end)
                    break
                message = Message(partition, at, _sent_at(found.timestamp()), found.value())
                messages.append(message)
                size, position = size + len(message.value or b""), at + 1
        except KafkaException as error:
            raise self._failure(error.args[0]) from None
        finally:
            self.consumer.unassign()
        return Chunk(tuple(messages), position)

    def _ends(self, partition: int) -> tuple[int, int]:
        from confluent_kafka import TopicPartition

        found = self.consumer.get_watermark_offsets(TopicPartition(self.name, partition), timeout=_TIMEOUT_SECONDS)
        if found is None:
            raise TransientError(f"The brokers {self.servers} do not give the ends of partition {partition}.")
        return found

    def _next(self, partition: int, position: int) -> Any:
        deadline = time.monotonic() + _TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            found = self.consumer.poll(1.0)
            if found is not None:
                return found
        reason = f": {self.errors[-1].str()}" if self.errors else ""
        raise TransientError(
            f"Nothing came from partition {partition} of the topic {self.name} at offset {position} within "
            f"{_TIMEOUT_SECONDS:.0f} s{reason}."
        )

    def _failure(self, error: "KafkaError") -> PipelineError:
        from confluent_kafka import KafkaError

        # A refusal to sign in is seen as brokers that do not respond; the client reports it beside that.
        causes = [error, *self.errors]
        if any(each.code() in (KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED) for each in causes):
            return PermanentError(
                f"The brokers {self.servers} refuse to sign in the user. Correct "
                f"{', '.join(variable_of(self.source, name) for name in ('user', 'password', 'sasl_mechanism'))}."
            )
        missing = {KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION}
        if error.code() in missing:
            variable = variable_of(self.source, "topic")
            return PermanentError(f"The brokers {self.servers} have no topic {self.name}: correct {variable}.")
        if error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
            return PermanentError(f"The user may not read the topic {self.name}: allow it to read and describe it.")
        return TransientError(f"The topic {self.name} cannot be read from {self.servers}: {error.str()}.")


def _sent_at(timestamp: tuple[int, int]) -> datetime | None:
    from confluent_kafka import TIMESTAMP_NOT_AVAILABLE

    kind, milliseconds = timestamp
    try:
        return None if kind == TIMESTAMP_NOT_AVAILABLE else _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return None
