"""The outbox: entries survive a crash, are the same entry when their cause is, and are delivered by one at a time."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vp_pipeline.delivery.outbox import Box, retry_at
from vp_pipeline.failures import PermanentError, TransientError

NOW = datetime(2026, 11, 21, 0, 10, tzinfo=UTC)


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path / "outbox" / "slack.jsonl")


def test_the_same_cause_is_the_same_entry(box: Box) -> None:
    first = box.put("run:1:failure", {"text": "a"}, NOW)
    assert box.put("run:1:failure", {"text": "b"}, NOW + timedelta(hours=1)) == first
    assert [entry.content for entry in box.entries()] == [{"text": "a"}]


def test_what_was_not_delivered_stays_open(box: Box) -> None:
    for key in "abcd":
        box.put(key, {}, NOW)
    box.note("a", "sending", NOW)
    box.note("a", "delivered", NOW, receipt={"ts": "1.2"})
    box.note("b", "sending", NOW)
    box.note("b", "failed", NOW, reason="429", not_before=NOW + timedelta(seconds=30))
    box.note("c", "sending", NOW)
    box.note("d", "kept", NOW)
    assert [entry.key for entry in box.open_entries()] == ["b", "c"]
    assert [entry.key for entry in box.open_entries() if entry.is_unconfirmed] == ["c"]
    b = box.find("b")
    assert b is not None
    assert (b.tries, b.reason, b.not_before) == (1, "429", NOW + timedelta(seconds=30))
    a = box.find("a")
    assert a is not None
    assert a.receipt == {"ts": "1.2"}


def test_repeats_are_counted(box: Box) -> None:
    box.put("cause", {}, NOW)
    assert box.fold("cause", "run 2").repeats == ("run 2",)
    assert box.fold("cause", "run 2").repeats == ("run 2",)  # the same event, seen again after a crash
    assert box.fold("cause", "run 3").repeats == ("run 2", "run 3")
    assert len(box.entries()) == 1


def test_an_entry_that_is_not_there_cannot_be_noted(box: Box) -> None:
    with pytest.raises(PermanentError, match="has no entry x"):
        box.note("x", "delivered")


@settings(max_examples=25, deadline=None)
@given(st.integers(min_value=1, max_value=200))
def test_a_line_that_a_crash_tore_costs_that_event_alone(cut: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        box = Box(Path(folder) / "box.jsonl")
        box.put("a", {"text": "first"}, NOW)
        box.put("b", {"text": "second"}, NOW)
        content = box.path.read_bytes()
        first = content.index(b"\n") + 1
        box.path.write_bytes(content[: max(first, len(content) - cut)])
        box.put("b", {"text": "second"}, NOW)
        box.put("c", {"text": "third"}, NOW)
        assert [entry.content["text"] for entry in box.entries()] == ["first", "second", "third"]


FOREIGN = (
    b"buy milk",
    b"[]",
    b'{"key": "b"}',
    b"{",
    bytes(range(14, 40)),
    b'{"state": "sending", "key": "gone", "at": 5}',
)


@pytest.mark.parametrize("line", FOREIGN)
def test_a_line_that_is_no_event_is_set_aside_and_the_box_lives_on(
    box: Box, line: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    box.put("a", {"text": "first"}, NOW)
    before = box.path.read_bytes()
    box.path.write_bytes(line + b"\n" + before)
    assert [entry.key for entry in box.entries()] == ["a"]
    box.note("a", "sending", NOW)
    box.note("a", "delivered", NOW)
    beside = box.path.with_name("slack.jsonl.set_aside")
    assert beside.read_bytes() == line + b"\n"
    assert box.path.read_bytes().startswith(before)
    (warning,) = [record.getMessage() for record in caplog.records]
    assert warning.startswith(f"Set aside: {box.path} has 1 lines that are no event of an entry. It is in {beside} now")


def test_events_whose_entry_was_damaged_are_kept_beside_the_box_for_good(box: Box) -> None:
    box.put("a", {"text": "first"}, NOW)
    box.note("a", "sending", NOW)
    first, sending = box.path.read_bytes().splitlines()
    box.path.write_bytes(first[:-1] + b"\n" + sending + b"\n")
    with box.delivering():
        assert box.open_entries() == []
    assert box.forget(NOW + timedelta(days=1)) == 0
    assert box.path.with_name("slack.jsonl.set_aside").read_bytes() == first[:-1] + b"\n" + sending + b"\n"


def test_one_process_delivers_at_a_time(box: Box) -> None:
    with (
        box.delivering(),
        pytest.raises(TransientError, match="Another process is delivering"),
        Box(box.path).delivering(),
    ):
        pass


def test_forgetting_leaves_what_is_open_and_what_is_young_as_it_is(box: Box) -> None:
    box.put("old", {}, NOW)
    box.note("old", "delivered", NOW)
    box.put("open", {"text": "x"}, NOW)
    box.note("open", "sending", NOW)
    box.note("open", "failed", NOW, reason="down", not_before=NOW)
    box.put("unconfirmed", {}, NOW)
    box.note("unconfirmed", "sending", NOW)
    box.put("young", {}, NOW + timedelta(days=1))
    box.note("young", "delivered", NOW + timedelta(days=1), receipt={"ts": "3"})
    box.fold("young", "run 2", NOW + timedelta(days=1))
    kept = box.entries()[1:]
    assert box.forget(NOW + timedelta(hours=1)) == 1
    assert box.entries() == kept
    assert box.forget(NOW + timedelta(hours=1)) == 0


def test_waits_grow_to_half_an_hour_or_are_as_long_as_asked() -> None:
    assert [(retry_at(tries, NOW) - NOW).seconds for tries in range(8)] == [30, 60, 120, 240, 480, 960, 1800, 1800]
    assert retry_at(5, NOW, 7) == NOW + timedelta(seconds=7)
