"""Kafka on loopback: librdkafka's own mock cluster, in this process, reached over a real socket."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from confluent_kafka import Producer

PARTITIONS = 4  # of every topic of the mock cluster


@dataclass(frozen=True)
class KafkaStandIn:
    """A cluster with one broker. A topic is there as soon as something is sent to it."""

    producer: Producer
    servers: str

    def send(self, topic: str, value: bytes | None, at: datetime, partition: int = 0) -> None:
        """One message, written at a moment (UTC)."""
        milliseconds = round(at.timestamp() * 1000)
        self.producer.produce(topic, value=value, partition=partition, timestamp=milliseconds)
        assert self.producer.flush(10) == 0

    def variables(self, topic: str) -> dict[str, str]:
        """The settings of a pipeline that consumes the topic."""
        return {
            "VP_ORDER_EVENTS_BOOTSTRAP_SERVERS": self.servers,
            "VP_ORDER_EVENTS_TOPIC": topic,
            "VP_ORDER_EVENTS_SECURITY_PROTOCOL": "PLAINTEXT",
        }


@contextmanager
def kafka_stand_in() -> Iterator[KafkaStandIn]:
    """A cluster that lives as long as the block."""
    # Each message is a batch of its own on the broker, so that retention removes single ones.
    producer = Producer({"bootstrap.servers": "mock", "test.mock.num.brokers": 1, "log_level": 0, "linger.ms": 0})
    (broker,) = producer.list_topics(timeout=10).brokers.values()
    yield KafkaStandIn(producer, f"{broker.host}:{broker.port}")
