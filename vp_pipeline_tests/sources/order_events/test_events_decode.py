"""Decoding notifications of changed orders: Amazon's own example, every rejection with its offset, and no person."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from vp_pipeline.sources.landed import Decoded, LandedLine
from vp_pipeline.sources.order_events.decode import decode
from vp_pipeline.sources.order_events.inspection import inspect
from vp_pipeline.sources.order_events.source import ORDER_EVENTS
from vp_pipeline.sources.topic import Message
from vp_pipeline_tests.sources.order_events.order_messages import NOON, POSTAL_CODE, message, notification
from vp_pipeline_tests.sources.sp_api.persons import (
    MARK,
    Planted,
    as_objects,
    at_the_end,
    everywhere,
    in_place,
)
from vp_pipeline_tests.topics.topics import MemoryTopic, intake

LATER = NOON + timedelta(days=1)


def landed(
    *values: bytes | None, sent_at: datetime | None = NOON, read_at: datetime = LATER
) -> list[tuple[date, LandedLine]]:
    found = []
    for offset, value in enumerate(values):
        day, text = ORDER_EVENTS.landed("orders", Message(0, offset, sent_at, value), read_at)
        found.append((day, LandedLine("o", offset + 1, text)))
    return found


def decoded(*values: bytes | None, **moments: Any) -> Decoded:
    found = decode([line for _, line in landed(*values, **moments)])["order_change"]
    assert found.unaccounted == 0
    return found


def test_a_notification_is_a_row_with_what_the_message_has() -> None:
    (row,) = decoded(message(7, order=3, status="PartiallyShipped", NumberOfItemsShipped=1)).rows.to_pylist()
    at = NOON.replace(tzinfo=None)
    assert row == {
        "topic": "orders",
        "topic_partition": 0,
        "topic_offset": 0,
        "snapshot_at": at,
        "sent_at": at,
        "notification_id": "00000000-0000-4000-8000-000000000007",
        "order_id": "902-0000000-0000003",
        "marketplace_id": "ATVPDKIKX0DER",
        "change_type": "ORDER_STATUS_CHANGE",
        "changed_at": at - timedelta(seconds=1),
        "order_status": "PARTIALLY_SHIPPED",
        "fulfilled_by": "MERCHANT",
        "purchased_at": at - timedelta(days=1),
        "items_shipped": 1,
        "items_unshipped": 2,
    }


def test_moments_that_amazon_may_leave_out_are_null() -> None:
    body = notification(1, PurchaseDate=None)
    body["Payload"]["OrderChangeNotification"]["OrderChangeTrigger"]["TimeOfOrderChange"] = None
    (row,) = decoded(orjson.dumps(body)).rows.to_pylist()
    assert (row["changed_at"], row["purchased_at"]) == (None, None)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "has no value (a tombstone)"),
        (b"", "is not JSON (0 bytes)"),
        (b"\xff{", "is not JSON"),
        (b"[1]", "is not an object"),
        (b"{}", "does not name the moment"),
        (message(1, LATER), "which was to come when it was sent"),
        (message(1, datetime(1999, 1, 1, tzinfo=UTC)), "before 2000"),
        (message(1).replace(b"ORDER_CHANGE", b"FEED_CHANGE_"), "NotificationType had another form"),
        (message(1).replace(b"902-0000000-0000001", b""), "AmazonOrderId had another form"),
        (message(1).replace(b"AmazonOrderId", b"Another"), "AmazonOrderId is missing"),
        (message(1, status="Lost"), "OrderStatus had another form"),
        (message(1, NumberOfItemsShipped=-1), "NumberOfItemsShipped had another form"),
        (message(1, NumberOfItemsShipped=True), "NumberOfItemsShipped had another form"),
        (message(1, PurchaseDate="2026-02-30T00:00:00Z"), "PurchaseDate is not a moment"),
    ],
)
def test_what_is_no_event_is_rejected_with_its_offset_and_the_rest_is_not(value: bytes | None, reason: str) -> None:
    found = decoded(message(1), value, message(2))
    assert [row["topic_offset"] for row in found.rows.to_pylist()] == [0, 2]
    (rejected,) = found.quarantined
    assert reason in rejected.reason
    assert orjson.loads(rejected.record)["offset"] == 1


def test_a_line_that_nobody_has_landed_is_rejected() -> None:
    lines = [LandedLine("o", 1, text) for text in (b"", b"1", b"{}", b'{"sent_at": 1}')]
    assert len(decode(lines)["order_change"].quarantined) == 4
    assert inspect(lines).records == 4


def test_what_has_no_moment_of_its_own_is_filed_under_the_day_on_which_it_was_sent() -> None:
    days = [day for day, _ in landed(b"{", message(1, LATER), message(2, NOON - timedelta(days=3)))]
    assert days == [NOON.date(), NOON.date(), NOON.date() - timedelta(days=3)]
    assert [day for day, _ in landed(b"{", sent_at=None)] == [LATER.date()]
    # A clock that is wrong by years does not file anything under a day that nobody will ever run.
    assert [day for day, _ in landed(b"{", sent_at=NOON + timedelta(days=900))] == [LATER.date()]


def test_an_event_of_another_day_is_rejected() -> None:
    lines = [line for _, line in landed(message(1))]
    rejected = decode(lines, NOON + timedelta(hours=1))["order_change"].quarantined
    assert "an earlier day" in rejected[0].reason


def test_the_inspection_has_the_moment_of_each_event() -> None:
    found = inspect([line for _, line in landed(message(1), b"{")])
    assert (found.records, [each.at for each in found.received]) == (2, [NOON])


@pytest.mark.parametrize("plant", [everywhere, in_place, as_objects, at_the_end])
def test_no_person_lands(tmp_path: Path, plant: Planted) -> None:
    planted = orjson.dumps(plant(notification(1)))
    assert MARK.encode() in planted
    lines = [line.text for _, line in landed(planted, message(2), f"{MARK} is not JSON".encode())]
    assert not any(MARK.lower() in line.decode().lower() or POSTAL_CODE in line.decode() for line in lines)
    found = decoded(planted)
    assert found.rows.num_rows == (plant is everywhere)
    assert MARK not in repr(found.quarantined)
    topic = MemoryTopic()
    topic.send(planted, NOON)
    intake(tmp_path, topic).consume(ORDER_EVENTS)
    assert not any(MARK.encode() in file.read_bytes() for file in tmp_path.rglob("*.json"))
