"""The text of messages: everything that people need, and never more than Slack takes."""

import dataclasses
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vp_pipeline.automation.notifications import messages
from vp_pipeline.automation.notifications.messages import Link, cut
from vp_pipeline.automation.notifications.queue import Alerts, cause_of
from vp_pipeline.automation.notifications.run_summary import RunSummary, Trouble
from vp_pipeline.delivery.outbox import Box
from vp_pipeline.sandbox.services.service import Request
from vp_pipeline.sandbox.services.slack import SlackStandIn

LINK = Link("Open run 355c78c2", "http://localhost:3000/runs/355c78c2")
SUMMARY = RunSummary(
    run_id="355c78c2",
    job="daily_pipeline",
    days=("2026-11-20", "2026-11-20"),
    seconds=84.4,
    tries=1,
    models=42,
    tests={"passed": 140, "warned": 1, "failed": 0},
    published_rows=232_428,
    warned=(Trouble("silver_keepa_product", "quarantine of silver/keepa/price", "2 records <broke> it & more"),),
    failed=(),
)
RED = dataclasses.replace(
    SUMMARY,
    failed=(
        Trouble("raw_keepa_product", "conservation of raw/keepa_price", "-3 records not accounted for"),
        Trouble("publish", None, "The day did not go through"),
    ),
    published_rows=None,
)


def takes(message: messages.Message) -> bool:
    """Whether Slack's stand-in accepts it: it holds to Slack's limits."""
    body = {"channel": "C", "text": message.text, "blocks": list(message.blocks)}
    request = Request("POST", "/chat.postMessage", {}, {"authorization": "Bearer sandbox"}, body)
    return bool(SlackStandIn().respond(request).body["ok"])


def test_a_success_has_day_duration_dbt_rows_and_link() -> None:
    message = messages.succeeded(SUMMARY, LINK)
    for part in (
        "daily_pipeline succeeded for 2026-11-20",
        "Duration: 1 min 24 s",
        "dbt: 42 models; tests: 140 passed, 1 warned, 0 failed",
        "Rows published: 232,428",
        "quarantine of silver/keepa/price: 2 records <broke> it & more",
        LINK.url,
    ):
        assert part in message.text
    assert takes(message)
    assert "&lt;broke&gt; it &amp; more" in str(message.blocks)


def test_a_failure_names_what_failed_first() -> None:
    message = messages.failed(RED, LINK)
    assert "First failing step: raw_keepa_product (check conservation of raw/keepa_price)" in message.text
    assert "-3 records not accounted for" in message.text
    assert "nothing was published" in message.text
    assert takes(message)


def test_days_of_a_range_are_one_text() -> None:
    summary = dataclasses.replace(SUMMARY, days=("2026-11-01", "2026-11-20"), tries=3)
    assert "succeeded for 2026-11-01 to 2026-11-20 after 3 tries" in messages.succeeded(summary, LINK).text


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=9000), st.integers(min_value=1, max_value=60))
def test_whatever_the_cause_slack_takes_the_message(cause: str, count: int) -> None:
    trouble = Trouble("s" * 300, "c" * 300, cause + "<&>" * 1000)
    summary = dataclasses.replace(RED, failed=(trouble,) * count, warned=(trouble,) * count)
    assert takes(messages.failed(summary, LINK))
    assert takes(messages.backfill("abc", "COMPLETED_FAILED", [summary] * count, LINK))
    assert takes(messages.failed_tick("sensor", "x" * 200, cause or "x", LINK))


@given(st.text(), st.integers(min_value=1, max_value=50))
def test_a_cut_is_short_enough_and_never_inside_an_escape(text: str, limit: int) -> None:
    short = cut(text, limit)
    assert len(short) <= limit
    for part in short.split("&")[1:]:
        assert part.startswith(("amp;", "lt;", "gt;"))


NOW = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.fixture
def alerts(tmp_path: Path) -> Alerts:
    return Alerts(Box(tmp_path / "slack.jsonl"), timedelta(hours=6), lambda: ("xoxb-secret",))


def text(alerts: Alerts) -> list[str]:
    return [entry.content["text"].splitlines()[0] for entry in alerts.box.entries()]


def test_an_event_is_reported_once(alerts: Alerts) -> None:
    message = messages.failed(RED, LINK)
    assert alerts.queue("run:1", message)
    assert not alerts.queue("run:1", message, now=NOW + timedelta(days=9))
    assert len(text(alerts)) == 1


def test_the_same_cause_is_reported_once_in_the_time_and_then_with_its_repeats(alerts: Alerts) -> None:
    message = messages.failed(RED, LINK)
    assert alerts.queue("run:1", message, "cause", NOW)
    assert not alerts.queue("run:2", message, "cause", NOW + timedelta(hours=1))
    assert not alerts.queue("run:2", message, "cause", NOW + timedelta(hours=1))  # the same tick again
    assert not alerts.queue("run:3", message, "cause", NOW + timedelta(hours=5))
    assert alerts.queue("run:4", message, "another", NOW + timedelta(hours=5))
    assert alerts.queue("run:5", message, "cause", NOW + timedelta(hours=7))
    assert len(text(alerts)) == 3
    assert "came 2 more times since the last message" in alerts.box.entries()[-1].content["text"]


def test_days_and_ids_are_no_part_of_a_cause() -> None:
    one = cause_of("run", "raw", "2026-11-20: run 355c78c2 took 5 rows")
    assert one == cause_of("run", "raw", "2026-11-21: run 9f00aa12 took 17 rows")
    assert one != cause_of("run", "raw", "2026-11-20: run 355c78c2 lost 5 rows")
    assert one != cause_of("run", "silver", "2026-11-20: run 355c78c2 took 5 rows")


def test_no_secret_gets_into_the_outbox(alerts: Alerts) -> None:
    summary = dataclasses.replace(RED, failed=(Trouble("x", None, "refused xoxb-secret at http://…"),))
    alerts.queue("run:1", messages.failed(summary, LINK))
    assert "xoxb-secret" not in Path(alerts.box.location).read_text()
    assert "refused ***" in Path(alerts.box.location).read_text()
