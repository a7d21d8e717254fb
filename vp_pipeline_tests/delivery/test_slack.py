"""Delivery to Slack, against the stand-in over HTTP: each message once, whatever happens on the way."""

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from vp_pipeline.delivery.outbox import Box
from vp_pipeline.delivery.slack import Delivery, Slack, build_slack, deliver
from vp_pipeline.sandbox.services.server import Services
from vp_pipeline.sandbox.services.service import Fault
from vp_pipeline.settings import load_settings

HELLO = {"text": "hello", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "*hello*"}}]}


@pytest.fixture
def services() -> Iterator[Services]:
    with Services() as services:
        yield services


@pytest.fixture
def slack(services: Services, tmp_path: Path) -> Slack:
    slack = build_slack(load_settings(services.variables(), data_dir=tmp_path))
    return dataclasses.replace(slack, timeout_seconds=1)


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path / "slack.jsonl")


def quietly(slack: Slack, box: Box, later: timedelta = timedelta(0)) -> Delivery:
    return deliver(slack, box, lambda _: None, datetime.now(UTC) + later)


HOUR = timedelta(hours=1)


def test_messages_arrive_once_and_in_order(slack: Slack, box: Box, services: Services) -> None:
    for key in ("a", "b"):
        box.put(key, {**HELLO, "text": key})
    assert quietly(slack, box).delivered == ["a", "b"]
    assert quietly(slack, box).delivered == []
    assert [m["text"] for m in services.slack.messages] == ["a", "b"]
    a = box.find("a")
    assert a is not None
    assert a.receipt == {"ts": services.slack.messages[0]["ts"]}


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        (Fault(429, retry_after=2), "failed"),
        (Fault(500), "unconfirmed"),
        (Fault(503, acts=True), "unconfirmed"),  # it took the message, and a proxy lost the response
        (Fault(0), "unconfirmed"),
        (Fault(0, acts=True), "unconfirmed"),
        (Fault(seconds=1.5), "unconfirmed"),  # slow: taken after we stopped waiting
    ],
)
def test_whatever_goes_wrong_it_is_delivered_later_once(
    slack: Slack, box: Box, services: Services, fault: Fault, state: str
) -> None:
    box.put("a", HELLO)
    box.put("b", HELLO)
    services.faults["slack"].plan(fault)
    first = quietly(slack, box)
    assert first.delivered == []
    assert first.waiting == 2
    assert first.problem
    a = box.find("a")
    assert a is not None
    assert (a.state, a.is_open) == (state, True)
    assert quietly(slack, box).waiting == 2  # too early: no request is sent
    assert quietly(slack, box, HOUR).delivered == ["a", "b"]
    keys = [m["metadata"]["event_payload"]["key"] for m in services.slack.messages]
    assert keys == ["a", "b"]


def test_retry_after_is_kept(slack: Slack, box: Box, services: Services) -> None:
    box.put("a", HELLO)
    services.faults["slack"].plan(Fault(429, retry_after=77))
    now = datetime.now(UTC)
    deliver(slack, box, lambda _: None, now)
    a = box.find("a")
    assert a is not None
    assert a.not_before == now + timedelta(seconds=77)


def test_a_slack_that_is_down_leaves_nothing_unconfirmed(box: Box) -> None:
    down = Slack(SecretStr("t"), "C", "http://127.0.0.1:9/api/")
    box.put("a", HELLO)
    delivery = quietly(down, box)
    assert delivery.problem is not None
    assert "cannot be reached" in delivery.problem
    a = box.find("a")
    assert a is not None
    assert a.state == "failed"


def test_a_crash_between_sending_and_recording_is_looked_up(slack: Slack, box: Box, services: Services) -> None:
    box.put("taken", HELLO)
    box.put("not taken", HELLO)
    box.note("taken", "sending")
    slack.post("taken", HELLO)
    box.note("not taken", "sending")  # and here the process died, both times
    assert quietly(slack, box).delivered == ["taken", "not taken"]
    assert len(services.slack.messages) == 2


def test_without_the_scope_for_the_history_it_is_sent_again_and_marked(
    slack: Slack, box: Box, services: Services
) -> None:
    services.slack.may_read_history = False
    box.put("a", HELLO)
    box.note("a", "sending")
    slack.post("a", HELLO)
    quietly(slack, box)
    assert [m["text"] for m in services.slack.messages] == ["hello", "(This may have been sent before.) hello"]


def test_a_wrong_token_keeps_the_messages(slack: Slack, box: Box, services: Services) -> None:
    box.put("a", HELLO)
    delivery = quietly(dataclasses.replace(slack, token=SecretStr("wrong")), box)
    assert delivery.problem is not None
    assert "invalid_auth. Look at VP_SLACK_TOKEN" in delivery.problem
    assert "wrong" not in delivery.problem
    assert quietly(slack, box, HOUR).delivered == ["a"]


def test_blocks_that_slack_refuses_go_as_text(slack: Slack, box: Box, services: Services) -> None:
    box.put("a", {"text": "news", "blocks": [{"type": "nonsense"}]})
    assert quietly(slack, box).delivered == ["a"]
    assert services.slack.messages[0]["text"] == "news"


def test_a_message_that_is_refused_is_visible_and_holds_up_nobody(slack: Slack, box: Box) -> None:
    box.put("a", {"text": "x" * 50_000})
    box.put("b", HELLO)
    delivery = quietly(slack, box)
    assert delivery.delivered == ["b"]
    assert "msg_too_long" in delivery.refused[0]
    a = box.find("a")
    assert a is not None
    assert a.state == "refused"


def test_without_a_token_the_text_goes_to_the_log_and_stays_in_the_box(box: Box) -> None:
    logged: list[str] = []
    box.put("a", HELLO)
    off = Slack(None, None, "http://127.0.0.1:9/")
    assert deliver(off, box, logged.append).kept == ["a"]
    assert logged == ["hello"]
    assert box.open_entries() == []
    assert [entry.content["text"] for entry in box.entries()] == ["hello"]
