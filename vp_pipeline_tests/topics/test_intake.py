"""The intake of a topic: each message once, under its own day, however it is cut, killed, and started again."""

import gzip
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vp_pipeline.automation.retention import removable_objects
from vp_pipeline.failures import DamagedDataError, PermanentError
from vp_pipeline.lake import batches, bronze, layout
from vp_pipeline.lake.objects import Lake
from vp_pipeline.partitions import ONE_DAY, start_of
from vp_pipeline.sources.order_events.source import ORDER_CHANGES, ORDER_EVENTS
from vp_pipeline_tests.sources.order_events.order_messages import NOON, message
from vp_pipeline_tests.topics.topics import NAME, NOW, MemoryTopic, intake, rows_of

DAY = date(2026, 3, 10)
TODAY = NOW.date()


def places(rows: list[dict[str, Any]]) -> list[tuple[int, int]]:
    return [(row["topic_partition"], row["topic_offset"]) for row in rows]


def test_a_message_is_consumed_once_and_filed_under_its_own_day(tmp_path: Path) -> None:
    topic = MemoryTopic()
    for number, at in enumerate((NOON, NOON + ONE_DAY, NOON)):
        topic.send(message(number, at), at, partition=number % 2)
    made = intake(tmp_path, topic)
    first = made.consume(ORDER_EVENTS)
    assert (first.messages, first.days) == (3, (DAY, DAY + ONE_DAY))
    again = made.consume(ORDER_EVENTS)
    assert (again.messages, again.batches, again.days) == (0, (), ())
    assert places(rows_of(made.lake, [DAY])) == [(0, 0), (0, 1)]
    assert places(rows_of(made.lake, [DAY + ONE_DAY])) == [(1, 0)]


def test_a_day_that_is_not_over_is_filed_when_it_is(tmp_path: Path) -> None:
    topic = MemoryTopic()
    topic.send(message(1, NOW), NOW)
    assert intake(tmp_path, topic).consume(ORDER_EVENTS).days == ()
    assert bronze.read_sync(Lake(tmp_path / "lake"), ORDER_CHANGES, TODAY) is None
    tomorrow = intake(tmp_path, topic, NOW + ONE_DAY)
    assert tomorrow.waiting(ORDER_EVENTS) == f"{TODAY}"
    assert tomorrow.consume(ORDER_EVENTS).days == (TODAY,)
    assert places(rows_of(tomorrow.lake, [TODAY])) == [(0, 0)]
    assert tomorrow.waiting(ORDER_EVENTS) is None


def test_an_event_a_moment_before_midnight_is_of_that_day(tmp_path: Path) -> None:
    topic = MemoryTopic()
    midnight = start_of(DAY + ONE_DAY)
    for number, at in enumerate((midnight - timedelta(milliseconds=1), midnight)):
        topic.send(message(number, at), midnight + timedelta(hours=1))
    made = intake(tmp_path, topic)
    made.consume(ORDER_EVENTS)
    assert places(rows_of(made.lake, [DAY])) == [(0, 0)]
    assert places(rows_of(made.lake, [DAY + ONE_DAY])) == [(0, 1)]


def test_a_late_event_makes_another_sync_of_its_day(tmp_path: Path) -> None:
    topic = MemoryTopic()
    topic.send(message(1), NOON)
    made = intake(tmp_path, topic)
    made.consume(ORDER_EVENTS)
    before = bronze.land(made.lake, ORDER_CHANGES, DAY)
    topic.send(message(2, NOON + timedelta(hours=1)), NOON + 5 * ONE_DAY)
    later = intake(tmp_path, topic, NOW + timedelta(minutes=5))
    assert later.consume(ORDER_EVENTS).days == (DAY,)
    after = bronze.land(made.lake, ORDER_CHANGES, DAY)
    assert after.sync.job_id > before.sync.job_id
    assert {o.path for o in before.objects} < {o.path for o in after.objects}
    assert places(rows_of(made.lake, [DAY])) == [(0, 0), (0, 1)]


def test_the_sync_of_a_day_consumes_and_changes_nothing_the_second_time(tmp_path: Path) -> None:
    topic = MemoryTopic()
    topic.send(message(1), NOON)
    made = intake(tmp_path, topic)
    first = made.sync(ORDER_EVENTS, ORDER_CHANGES, DAY)
    assert (first.record.records, made.sync(ORDER_EVENTS, ORDER_CHANGES, DAY).record) == (1, first.record)
    assert made.sync(ORDER_EVENTS, ORDER_CHANGES, DAY).reused is not None


def test_a_day_of_which_the_topic_has_nothing_is_an_empty_one(tmp_path: Path) -> None:
    made = intake(tmp_path, MemoryTopic({0: []}))
    assert made.sync(ORDER_EVENTS, ORDER_CHANGES, DAY).record.records == 0
    assert bronze.land(made.lake, ORDER_CHANGES, DAY).objects == ()


class Killed(BaseException):
    """The process is gone."""


def kill_before(monkeypatch: pytest.MonkeyPatch, made: Any, part: str, *, at: int = 0) -> None:
    """The `at`-th write of an object with `part` in its path does not happen, and nothing after it."""
    count = 0
    for name in ("write", "write_if"):
        real = getattr(Lake, name)

        def write(self: Lake, path: str, *rest: Any, real: Any = real) -> Any:
            nonlocal count
            if part in path:
                count += 1
                if count > at:
                    raise Killed
            return real(self, path, *rest)

        monkeypatch.setattr(Lake, name, write)


@pytest.mark.parametrize("part", ["_topic/", "_batches/orders/", "_syncs/", "_batches/filed"])
@pytest.mark.parametrize("at", [0, 1])
def test_a_process_that_is_killed_anywhere_loses_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str, at: int
) -> None:
    topic = MemoryTopic(at_most=2)
    for number in range(5):
        topic.send(message(number, NOON + number % 2 * ONE_DAY), NOON + 2 * ONE_DAY)
    if (part, at) == ("_batches/filed", 1):
        intake(tmp_path, topic).consume(ORDER_EVENTS)
        topic.send(message(5, NOON), NOON + 2 * ONE_DAY)
        at = 0
    with monkeypatch.context() as patched:
        kill_before(patched, None, part, at=at)
        with pytest.raises(Killed):
            intake(tmp_path, topic).consume(ORDER_EVENTS)
    topic.send(message(9, NOON), NOON + 2 * ONE_DAY)  # so that the batch of before would be cut at another offset
    made = intake(tmp_path, topic)
    made.consume(ORDER_EVENTS)
    found = rows_of(made.lake, [DAY, DAY + ONE_DAY])
    assert sorted(places(found)) == [(0, n) for n in range(len(topic.partitions[0]))]


def test_what_a_killed_process_has_left_is_removed_some_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    topic = MemoryTopic()
    topic.send(message(1), NOON)
    with monkeypatch.context() as patched:
        kill_before(patched, None, "_batches/orders/")
        with pytest.raises(Killed):
            intake(tmp_path, topic).consume(ORDER_EVENTS)
    topic.send(message(2), NOON)
    made = intake(tmp_path, topic)
    made.consume(ORDER_EVENTS)
    (left,) = removable_objects(made.lake, datetime(2100, 1, 1, tzinfo=UTC))
    assert layout.BATCH_ROWS.parts(left.name) is not None
    made.lake.delete(left.name)
    assert places(rows_of(made.lake, [DAY])) == [(0, 0), (0, 1)]


def test_of_two_that_consume_at_once_one_is_refused(tmp_path: Path) -> None:
    topic = MemoryTopic()
    topic.send(message(1), NOON)
    made = intake(tmp_path, topic)

    class Racing(MemoryTopic):
        """While it is read, another process consumes the same, and one message more."""

        def read(self, partition: int, first: int, end: int) -> Any:
            chunk = super().read(partition, first, end)
            topic.send(message(2), NOON)
            made.consume(ORDER_EVENTS)
            return chunk

    with pytest.raises(PermanentError, match="by another process at the same time"):
        intake(tmp_path, Racing(topic.partitions)).consume(ORDER_EVENTS)
    made.consume(ORDER_EVENTS)
    assert places(rows_of(made.lake, [DAY])) == [(0, 0), (0, 1)]


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_however_the_messages_are_cut_the_rows_are_the_same(data: st.DataObject) -> None:
    days = st.integers(min_value=0, max_value=2)
    kinds = st.sampled_from(["sound", "sound", "sound", "not JSON", "a tombstone", "no order"])
    drawn = data.draw(st.lists(st.tuples(st.integers(0, 1), days, kinds), min_size=1, max_size=12))
    stops = data.draw(st.lists(st.integers(1, len(drawn)), max_size=4))
    at_most = data.draw(st.integers(1, 5))
    values = {"not JSON": b"{", "a tombstone": None, "no order": b"{}"}

    def consumed(folder: Path, stops: list[int], at_most: int) -> tuple[list[dict[str, Any]], int]:
        topic = MemoryTopic({0: [], 1: []}, at_most=at_most)
        for number, (partition, day, kind) in enumerate(drawn):
            at = NOON + day * ONE_DAY + timedelta(seconds=number)
            topic.send(values.get(kind, message(number, at)), NOON + 4 * ONE_DAY, partition)
            if number + 1 in stops:
                intake(folder, topic, NOW + timedelta(minutes=number)).consume(ORDER_EVENTS)
        made = intake(folder, topic, NOW + timedelta(days=1))
        made.consume(ORDER_EVENTS)
        every = [DAY + n * ONE_DAY for n in range(5)]
        filed = [day for day in every if bronze.read_sync(made.lake, ORDER_CHANGES, day)]
        landed = sum(bronze.land(made.lake, ORDER_CHANGES, day).records for day in filed)
        return rows_of(made.lake, filed), landed

    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        whole, cut = consumed(Path(one), [], 1000), consumed(Path(other), stops, at_most)
    assert whole == cut
    assert len(whole[0]) == sum(kind == "sound" for _, _, kind in drawn)
    assert whole[1] == len(drawn)


def test_messages_that_the_topic_has_lost_are_named_and_accepted_by_a_person_only(tmp_path: Path) -> None:
    topic = MemoryTopic()
    for number in range(6):
        topic.send(message(number), NOON)
        if number == 1:
            intake(tmp_path, topic).consume(ORDER_EVENTS)
    topic.low[0] = 4
    made = intake(tmp_path, topic)
    for _ in range(2):
        with pytest.raises(
            PermanentError, match=r"Offsets 2 to 3 of partition 0 .* lost.*vp consume --accept-loss.* 4\."
        ):
            made.consume(ORDER_EVENTS)
    lost, consumed = made.consume(ORDER_EVENTS, accept_loss=True).batches
    assert (lost.lost, lost.first, lost.end, lost.objects, consumed.first) == (True, 2, 4, (), 4)
    assert places(rows_of(made.lake, [DAY])) == [(0, n) for n in (0, 1, 4, 5)]
    made.consume(ORDER_EVENTS)  # and from then on nothing is to be accepted


def test_a_topic_that_begins_later_has_lost_nothing_of_ours(tmp_path: Path) -> None:
    topic = MemoryTopic()
    for number in range(3):
        topic.send(message(number), NOON)
    topic.low[0] = 2
    made = intake(tmp_path, topic)
    assert made.consume(ORDER_EVENTS).messages == 1


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_a_topic_that_was_made_again_is_refused(tmp_path: Path, count: int) -> None:
    topic = MemoryTopic()
    for number in range(2):
        topic.send(message(number), NOON)
    intake(tmp_path, topic).consume(ORDER_EVENTS)
    again = MemoryTopic({0: []} if count else {1: []})
    for number in range(count):
        again.send(message(100 + number), NOON)
    made = intake(tmp_path, again)
    if count == 2:  # nothing is to be consumed yet, and nothing can be told
        assert made.consume(ORDER_EVENTS).messages == 0
        again.send(message(200), NOON)
    with pytest.raises(PermanentError, match=r"the topic was made again.*set VP_ORDER_EVENTS_TOPIC"):
        made.consume(ORDER_EVENTS)
    renamed = intake(tmp_path, again, VP_ORDER_EVENTS_TOPIC="orders-2")
    renamed.consume(ORDER_EVENTS)
    assert len(rows_of(renamed.lake, [DAY])) == 2 + len(again.partitions.get(0, []))


def test_a_manifest_that_is_missing_is_noticed(tmp_path: Path) -> None:
    topic = MemoryTopic(at_most=1)
    for number in range(3):
        topic.send(message(number), NOON)
    made = intake(tmp_path, topic)
    made.consume(ORDER_EVENTS)
    made.lake.delete(layout.BATCH.path(source="order_events", stream="order_change", topic=NAME, partition=0, first=1))
    with pytest.raises(DamagedDataError, match="has 2 batches, and the last one is number 3"):
        made.consume(ORDER_EVENTS)


def test_an_object_that_is_missing_is_read_again_and_has_to_be_the_same(tmp_path: Path) -> None:
    topic = MemoryTopic()
    for number in range(3):
        topic.send(message(number, NOON + number % 2 * ONE_DAY), NOON + ONE_DAY)
    made = intake(tmp_path, topic)
    made.consume(ORDER_EVENTS)
    before = bronze.land(made.lake, ORDER_CHANGES, DAY)
    made.lake.delete(before.objects[0].path)
    with pytest.raises(DamagedDataError, match="is missing"):
        bronze.land(made.lake, ORDER_CHANGES, DAY)
    intake(tmp_path, topic, NOW + ONE_DAY).sync(ORDER_EVENTS, ORDER_CHANGES, DAY, resync=True)
    assert bronze.land(made.lake, ORDER_CHANGES, DAY) == before
    made.lake.delete(before.objects[0].path)
    topic.partitions[0][0] = topic.partitions[0][1]
    with pytest.raises(DamagedDataError, match="Restore it from a backup"):
        made.sync(ORDER_EVENTS, ORDER_CHANGES, DAY, resync=True)


def test_a_record_of_a_sync_that_cannot_be_read_is_made_again(tmp_path: Path) -> None:
    topic = MemoryTopic()
    topic.send(message(1), NOON)
    made = intake(tmp_path, topic)
    record = made.sync(ORDER_EVENTS, ORDER_CHANGES, DAY).record
    made.lake.write(bronze.sync_path(ORDER_CHANGES, DAY), b"{")
    with pytest.raises(DamagedDataError, match="--resync"):
        made.sync(ORDER_EVENTS, ORDER_CHANGES, DAY)
    assert made.sync(ORDER_EVENTS, ORDER_CHANGES, DAY, resync=True).record == record


@pytest.mark.parametrize("content", [None, b"", gzip.compress(b"{}\n", mtime=0)], ids=["missing", "empty", "another"])
def test_an_object_that_is_damaged_before_its_day_is_filed_holds_its_own_day_only(
    tmp_path: Path, content: bytes | None
) -> None:
    topic = MemoryTopic()
    for number in range(2):
        topic.send(message(number, NOW), NOW)
    intake(tmp_path, topic).consume(ORDER_EVENTS)
    tomorrow = intake(tmp_path, topic, NOW + ONE_DAY)
    ((path,),) = batches.filed(tomorrow.lake, ORDER_CHANGES).waiting.values()
    if content is None:
        tomorrow.lake.delete(path)
    else:
        tomorrow.lake.write(path, content)
    topic.send(message(3, NOON), NOW)
    for days in ((DAY,), ()):
        done = tomorrow.consume(ORDER_EVENTS)
        assert (done.days, [*done.problems]) == (days, [TODAY])
        with pytest.raises(DamagedDataError, match=f"vp run --date {TODAY} --resync"):
            done.require_filed()
    assert tomorrow.sync(ORDER_EVENTS, ORDER_CHANGES, DAY).record.records == 1
    with pytest.raises(DamagedDataError, match=path):
        tomorrow.sync(ORDER_EVENTS, ORDER_CHANGES, TODAY)
    assert tomorrow.sync(ORDER_EVENTS, ORDER_CHANGES, TODAY, resync=True).record.records == 2
    assert tomorrow.consume(ORDER_EVENTS).problems == {}


def test_the_record_of_filed_batches_can_be_lost(tmp_path: Path) -> None:
    topic = MemoryTopic()
    topic.send(message(1), NOON)
    topic.send(message(2, NOW), NOW)
    made = intake(tmp_path, topic)
    made.consume(ORDER_EVENTS)
    before = batches.filed(made.lake, ORDER_CHANGES)
    made.lake.delete(layout.FILED.path(source="order_events", stream="order_change"))
    assert made.consume(ORDER_EVENTS).days == ()
    assert batches.filed(made.lake, ORDER_CHANGES) == before


def test_what_waits_is_a_text_that_changes_with_it(tmp_path: Path) -> None:
    topic = MemoryTopic({0: [], 1: []})
    made = intake(tmp_path, topic)
    assert made.waiting(ORDER_EVENTS) is None
    topic.send(message(1), NOON, partition=1)
    assert made.waiting(ORDER_EVENTS) == "1:0-1"
    made.consume(ORDER_EVENTS)
    topic.send(message(1), NOON, partition=0)
    topic.send(message(1), NOON, partition=1)
    assert made.waiting(ORDER_EVENTS) == "0:0-1 1:1-2"
