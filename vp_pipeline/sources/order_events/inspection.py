"""Counts over notifications of changed orders as they landed: how many there are, and of which moments.

Here: the day of each. Fields that Amazon does not document do not land, so none is counted. Not here: other values
(`decode.py`).
"""

from collections.abc import Iterable
from datetime import UTC

from vp_pipeline.sources.envelope import Unreadable
from vp_pipeline.sources.landed import Inspection, LandedLine, Received
from vp_pipeline.sources.sp_api.decoding.fields import Fields
from vp_pipeline.sources.topic import opened_event


def inspect(lines: Iterable[LandedLine]) -> Inspection:
    """How many records there are, and the order and moment of each that is an event."""
    records = 0
    received: list[Received] = []
    for line in lines:
        records += 1
        event = opened_event(line)
        if isinstance(event, Unreadable):
            continue
        found = Fields(event.data)
        order_id, at = found.text("Payload.OrderChangeNotification.AmazonOrderId"), found.moment("EventTime")
        received.append(Received(order_id, order_id, at and at.replace(tzinfo=UTC)))
    return Inspection(records, 0, {}, {}, tuple(received))
