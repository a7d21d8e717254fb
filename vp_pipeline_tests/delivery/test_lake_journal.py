"""Boxes in the lake: what several machines do at once, and what an earlier version has left. For what holds of every
box see `test_outbox.py`."""

import json
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from werkzeug.wrappers import Request

from vp_pipeline.delivery.lake_journal import LakeJournal
from vp_pipeline.delivery.outbox import Box
from vp_pipeline.failures import TransientError
from vp_pipeline.lake.objects import Lake
from vp_pipeline_tests.stand_ins.s3 import S3StandIn, s3_stand_in, times

PATH = "_outbox/slack.jsonl"
CLAIM = "_outbox/slack.jsonl.delivering"


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


@pytest.fixture
def s3() -> Iterator[S3StandIn]:
    with s3_stand_in() as server:
        yield server


@pytest.mark.integration
def test_an_event_that_another_machine_wrote_in_between_is_kept_in_s3(s3: S3StandIn) -> None:
    store = s3.new_lake()
    one, other = (Box(LakeJournal(Lake(store), PATH)) for _ in range(2))
    one.put("a", {"n": 1})

    def overtakes(request: Request) -> None:
        if request.method == "PUT":
            s3.faults.clear()
            other.note("a", "sending")
            other.put("c", {"n": 3})

    s3.faults.append(overtakes)
    one.put("b", {"n": 2})
    assert not s3.faults  # it was overtaken
    assert [entry.key for entry in one.entries()] == ["a", "c", "b"]
    assert one.find("a") == other.find("a")
    with one.delivering(), pytest.raises(TransientError, match="is delivering"), other.delivering():
        pass


@pytest.mark.integration
def test_a_first_event_of_two_machines_at_once_is_both_kept(s3: S3StandIn) -> None:
    store = s3.new_lake()
    one, other = (Box(LakeJournal(Lake(store), PATH)) for _ in range(2))

    def overtakes(request: Request) -> None:
        if request.method == "PUT":
            s3.faults.clear()
            other.put("a", {})

    s3.faults.append(times(9, overtakes))
    one.put("b", {})
    assert [entry.key for entry in other.entries()] == ["a", "b"]


def claim(host: str, until: datetime) -> bytes:
    return json.dumps({"process": f"{host}:boot:1:1", "until": until.isoformat()}).encode()


def test_a_claim_of_another_machine_holds_until_it_expires(lake: Lake) -> None:
    box = Box(LakeJournal(lake, PATH))
    now = datetime.now(UTC)
    lake.write(CLAIM, claim("another-host", now + timedelta(minutes=1)))
    with pytest.raises(TransientError, match="The process another-host:boot:1:1 is delivering"), box.delivering():
        pass
    for free in (
        claim("another-host", now - timedelta(seconds=1)),
        claim(socket.gethostname(), now + timedelta(minutes=1)),  # of this machine, before it was restarted
        b"buy milk",
    ):
        lake.write(CLAIM, free)
        with box.delivering():
            assert lake.read(CLAIM) != free


def test_a_claim_is_renewed_while_the_delivery_goes_on(lake: Lake) -> None:
    with Box(LakeJournal(lake, PATH, claim_seconds=0.2)).delivering():
        first, end = lake.read(CLAIM), time.monotonic() + 30
        while lake.read(CLAIM) == first:
            assert time.monotonic() < end


def test_what_an_earlier_version_left_on_each_machine_is_taken_over_once(lake: Lake, tmp_path: Path) -> None:
    files = [tmp_path / name / "slack.jsonl" for name in ("one", "two")]
    for file, key in zip(files, "ab", strict=True):
        Box(file).put(key, {"text": key})
        Box(file).note(key, "sending")
    before = files[0].read_bytes()
    boxes = [Box(LakeJournal(lake, PATH, earlier=file)) for file in files]
    with boxes[0].delivering():
        assert [entry.key for entry in boxes[0].open_entries()] == ["a"]
        boxes[0].note("a", "delivered", receipt={"ts": "1"})
    assert not files[0].exists()
    assert files[0].with_name("slack.jsonl.moved").read_bytes() == before
    files[0].write_bytes(before)  # as if it had been killed before it could rename the file
    boxes[0].put("c", {"text": "c"})
    boxes[1].put("d", {"text": "d"})
    assert [(entry.key, entry.state) for entry in boxes[1].entries()] == [
        ("a", "delivered"),
        ("c", "queued"),
        ("b", "sending"),
        ("d", "queued"),
    ]
    assert [entry.tries for entry in boxes[1].entries()] == [1, 0, 1, 0]
