"""Decodes notifications of changed orders, as they land, into the table of `tables.py`.

Here: the decoder. Not here: what may land (`notification.py`), and what a valid row is (`tables.py`, `enforce.py`).

A message is one row or one rejection, with its offset. `records_in` counts lines. A notification that Amazon delivered
twice is two messages and two rows here: CORE has each once.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from vp_pipeline.sources.collected import Collected
from vp_pipeline.sources.envelope import Unreadable
from vp_pipeline.sources.landed import Decoded, LandedLine
from vp_pipeline.sources.order_events.notification import CHANGES, TYPE
from vp_pipeline.sources.order_events.tables import ORDER_CHANGE
from vp_pipeline.sources.sp_api.decoding.fields import Fields
from vp_pipeline.sources.sp_api.decoding.v0 import FULFILLED_BY, STATUS
from vp_pipeline.sources.topic import LandedEvent, opened_event

_CHANGE = "Payload.OrderChangeNotification"
_SUMMARY = f"{_CHANGE}.Summary"


def decode(lines: Iterable[LandedLine], not_before: datetime | None = None) -> dict[str, Decoded]:
    """Decode a partition. The table is in the result whether it has rows or not.

    `not_before`: an event of before (UTC) is not of the day, and rejected; None: it may be of any.

    Neither the order of the lines matters nor how they were cut into batches. Raises nothing for bad data.
    """
    changes = Collected(ORDER_CHANGE)
    for line in lines:
        event = opened_event(line)
        if isinstance(event, Unreadable):
            changes.add_line(event, line)
            continue
        found = Fields(event.data)
        row = _row(event, found)
        at = row["snapshot_at"]
        if at is not None and not_before is not None and at < not_before.replace(tzinfo=None):
            found.problems.append(f"the event is of {at:%Y-%m-%d}, an earlier day")
        changes.add(line, at or datetime.min, row, event.piece, found.problems, entity=row["order_id"])
    return {ORDER_CHANGE.name: changes.assemble()}


def _row(event: LandedEvent, found: Fields) -> dict[str, Any]:
    found.word("NotificationType", {TYPE: TYPE}, required=True)
    return {
        "topic": event.topic,
        "topic_partition": event.partition,
        "topic_offset": event.offset,
        "snapshot_at": found.moment("EventTime"),
        "sent_at": event.sent_at,
        "notification_id": found.text("NotificationMetadata.NotificationId", required=True),
        "order_id": found.text(f"{_CHANGE}.AmazonOrderId", required=True),
        "marketplace_id": found.text(f"{_SUMMARY}.MarketplaceId", required=True),
        "change_type": found.word(f"{_CHANGE}.OrderChangeType", CHANGES, required=True),
        "changed_at": found.moment(f"{_CHANGE}.OrderChangeTrigger.TimeOfOrderChange", required=False),
        "order_status": found.word(f"{_SUMMARY}.OrderStatus", STATUS, required=True),
        "fulfilled_by": found.word(f"{_SUMMARY}.FulfillmentType", FULFILLED_BY, required=True),
        "purchased_at": found.moment(f"{_SUMMARY}.PurchaseDate", required=False),
        "items_shipped": found.count(f"{_SUMMARY}.NumberOfItemsShipped"),
        "items_unshipped": found.count(f"{_SUMMARY}.NumberOfItemsUnshipped"),
    }
