"""The outbox: entries survive a crash, are the same entry when their cause is, and are delivered by one at a time."""

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vp_pipeline.delivery.lake_journal import LakeJournal
from vp_pipeline.delivery.outbox import Box, retry_at
from vp_pipeline.failures import PermanentError, TransientError
from vp_pipeline.lake.objects import Lake
from vp_pipeline.settings import PROJECT_ROOT

NOW = datetime(2026, 11, 21, 0, 10, tzinfo=UTC)


def in_the_lake(folder: Path, **options: Any) -> Box:
    return Box(LakeJournal(Lake(folder / "lake"), "_outbox/slack.jsonl", **options))


KINDS: dict[str, Callable[[Path], Box]] = {
    "file": lambda folder: Box(folder / "outbox" / "slack.jsonl"),
    "lake": in_the_lake,
}


@pytest.fixture(params=KINDS)
def another(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Box]:
    """The same box, as another process has it; in each place for boxes."""
    return lambda: KINDS[request.param](tmp_path)


@pytest.fixture
def box(another: Callable[[], Box]) -> Box:
    return another()


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
        content = Path(box.location).read_bytes()
        first = content.index(b"\n") + 1
        Path(box.location).write_bytes(content[: max(first, len(content) - cut)])
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
    before = Path(box.location).read_bytes()
    Path(box.location).write_bytes(line + b"\n" + before)
    assert [entry.key for entry in box.entries()] == ["a"]
    box.note("a", "sending", NOW)
    box.note("a", "delivered", NOW)
    beside = Path(box.location).with_name("slack.jsonl.set_aside")
    assert beside.read_bytes() == line + b"\n"
    assert Path(box.location).read_bytes().startswith(before)
    (warning,) = [record.getMessage() for record in caplog.records]
    assert warning.startswith(
        f"Set aside: {box.location} has 1 lines that are no event of an entry. It is in {beside} now"
    )


def test_events_whose_entry_was_damaged_are_kept_beside_the_box_for_good(box: Box) -> None:
    box.put("a", {"text": "first"}, NOW)
    box.note("a", "sending", NOW)
    first, sending = Path(box.location).read_bytes().splitlines()
    Path(box.location).write_bytes(first[:-1] + b"\n" + sending + b"\n")
    with box.delivering():
        assert box.open_entries() == []
    assert box.forget(NOW + timedelta(days=1)) == 0
    assert Path(box.location).with_name("slack.jsonl.set_aside").read_bytes() == first[:-1] + b"\n" + sending + b"\n"


def test_one_process_delivers_at_a_time(box: Box, another: Callable[[], Box]) -> None:
    with box.delivering(), pytest.raises(TransientError, match=r"process .*is delivering from"), another().delivering():
        pass
    with another().delivering():
        pass


_KILLED = """
import sys
from pathlib import Path
from vp_pipeline_tests.delivery.test_outbox import KINDS
box = KINDS[sys.argv[1]](Path(sys.argv[2]))
box.put("a", {})
with box.delivering():
    box.note("a", "sending")
    print("sending", flush=True)
    sys.stdin.read()
"""


@pytest.mark.integration
@pytest.mark.parametrize("kind", KINDS)
def test_of_a_killed_process_the_right_to_deliver_is_free_and_what_it_sent_is_known(kind: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", _KILLED, kind, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=PROJECT_ROOT) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"sending\n"
        box = KINDS[kind](tmp_path)
        with pytest.raises(TransientError), box.delivering():
            pass
        process.kill()
    with box.delivering():
        (entry,) = box.open_entries()
        assert entry.is_unconfirmed


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
