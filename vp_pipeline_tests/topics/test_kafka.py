"""Reading a topic of Kafka, from librdkafka's mock cluster over a real socket."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from vp_pipeline.cli.doctor import services
from vp_pipeline.cli.main import app
from vp_pipeline.failures import PermanentError, TransientError
from vp_pipeline.settings import load_settings
from vp_pipeline.sources.order_events.source import ORDER_EVENTS
from vp_pipeline.topics import kafka
from vp_pipeline.topics.kafka import open_topic
from vp_pipeline.topics.topic import Offsets
from vp_pipeline_tests.sources.order_events.order_messages import NOON, message
from vp_pipeline_tests.stand_ins.kafka import KafkaStandIn, kafka_stand_in

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def cluster() -> Iterator[KafkaStandIn]:
    with kafka_stand_in() as found:
        yield found


def test_messages_are_read_between_offsets_with_their_moments(cluster: KafkaStandIn) -> None:
    for number, value in enumerate((b"a", None, b"c", b"d")):
        cluster.send("read", value, NOON + timedelta(milliseconds=number), partition=1)
    with open_topic(load_settings(cluster.variables("read")), ORDER_EVENTS) as topic:
        assert topic.offsets() == {0: Offsets(0, 0), 1: Offsets(0, 4), 2: Offsets(0, 0), 3: Offsets(0, 0)}
        chunk = topic.read(1, 1, 3)
        assert [(each.offset, each.value) for each in chunk.messages] == [(1, None), (2, b"c")]
        assert chunk.messages[0].sent_at == NOON + timedelta(milliseconds=1)
        assert chunk.end == 3
        assert topic.read(1, 0, 4).end == 4
        assert topic.read(1, 4, 9) == kafka.Chunk((), 4)  # no more can be read now
        cluster.send("read", b"e", NOON, partition=1)
        assert [each.offset for each in topic.read(1, 3, 4).messages] == [3]


def test_a_chunk_has_a_limit(cluster: KafkaStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka, "MOST_MESSAGES", 2)
    for _ in range(3):
        cluster.send("limited", b"x", NOON)
    with open_topic(load_settings(cluster.variables("limited")), ORDER_EVENTS) as topic:
        assert topic.read(0, 0, 3).end == 2
        monkeypatch.setattr(kafka, "MOST_MESSAGES", 50)
        monkeypatch.setattr(kafka, "MOST_BYTES", 1)
        assert topic.read(0, 0, 3).end == 1


def test_what_the_brokers_do_not_keep_is_known_before_it_is_read(cluster: KafkaStandIn) -> None:
    """The mock cluster keeps 5 MB of a partition."""
    for _ in range(8):
        cluster.send("kept", b"x" * 900_000, NOON)
    with open_topic(load_settings(cluster.variables("kept")), ORDER_EVENTS) as topic:
        found = topic.offsets()[0]
        assert 0 < found.low < found.high == 8
        assert topic.read(0, found.low, found.low + 1).messages[0].offset == found.low
        with pytest.raises(TransientError, match="cannot be read"):
            topic.read(0, 0, 8)


def test_a_topic_that_is_not_there_is_named_with_its_variable(cluster: KafkaStandIn) -> None:
    missing = pytest.raises(PermanentError, match="no topic nobody-sent-this: correct VP_ORDER_EVENTS_TOPIC")
    with open_topic(load_settings(cluster.variables("nobody-sent-this")), ORDER_EVENTS) as topic, missing:
        topic.offsets()


def test_brokers_that_do_not_respond_may_later(cluster: KafkaStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka, "_TIMEOUT_SECONDS", 0.5)
    nowhere = {**cluster.variables("read"), "VP_ORDER_EVENTS_BOOTSTRAP_SERVERS": "127.0.0.1:9"}
    with open_topic(load_settings(nowhere), ORDER_EVENTS) as topic:
        with pytest.raises(TransientError, match=r"read cannot be read from 127\.0\.0\.1:9"):
            topic.offsets()
        with pytest.raises(TransientError, match=r"Nothing came from partition 0|cannot be read"):
            topic.read(0, 0, 1)


def test_the_doctor_looks_at_the_topic_and_consumes_nothing(cluster: KafkaStandIn) -> None:
    cluster.send("examined", b"x", NOON)
    (found,) = services.topic(load_settings(cluster.variables("examined")), ORDER_EVENTS)
    assert (found.state, found.text) == ("ok", "its topic responds, with 4 partitions")
    (missing,) = services.topic(load_settings(cluster.variables("nobody-sent-this-either")), ORDER_EVENTS)
    assert (missing.state, "VP_ORDER_EVENTS_TOPIC" in missing.remedy) == ("wrong", True)


def test_the_command_consumes_what_is_there_and_names_the_days(
    cluster: KafkaStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = {**cluster.variables("typed"), "VP_SOURCES": "order_events", "VP_DATA_DIR": str(tmp_path)}
    for name, value in own.items():
        monkeypatch.setenv(name, value)
    for number in range(2):
        cluster.send("typed", message(number), NOON, partition=number)
    first = CliRunner().invoke(app, ["consume"])
    assert (first.exit_code, "typed/1: offsets 0 to 0, 1 messages." in first.output) == (0, True)
    assert "order_events: 2 messages in 2 batches. Days to run: 2026-03-10." in first.output
    assert "order_events: 0 messages in 0 batches." in CliRunner().invoke(app, ["consume"]).output
    monkeypatch.setenv("VP_SOURCES", "keepa")
    assert "VP_ORDER_EVENTS_BOOTSTRAP_SERVERS" in CliRunner().invoke(app, ["consume"]).output


def test_without_brokers_the_message_names_the_variable() -> None:
    with (
        pytest.raises(PermanentError, match="VP_ORDER_EVENTS_BOOTSTRAP_SERVERS"),
        open_topic(load_settings({}), ORDER_EVENTS),
    ):
        pass
