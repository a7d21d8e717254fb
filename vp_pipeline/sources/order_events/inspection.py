"""Counts over notifications of changed orders as they landed: how many there are, and of which moments.

Here: the day of each. Fields that Amazon does not document do not land, so none is counted. Not here: other values
(`decode.py`).
"""

from collections.abc import Iterable
from datetime import UTC

from vp_pipeline.sources.envelope import Unreadable, inspected
from vp_pipeline.sources.landed import Inspection, LandedLine, Received
from vp_pipeline.sources.sp_api.decoding.fields import Fields
from vp_pipeline.sources.topic import opened_event


def inspect(lines: Iterable[LandedLine]) -> Inspection:
    """How many records there are, and the order and moment of each that is an event."""
    return inspected(lines, _read)


def _read(line: LandedLine) -> tuple[Received, Iterable[str]] | Unreadable:
    event = opened_event(line)
    if isinstance(event, Unreadable):
        return event
    found = Fields(event.data)
    order_id, at = found.text("Payload.OrderChangeNotification.AmazonOrderId"), found.moment("EventTime")
    return Received(order_id, order_id, at and at.replace(tzinfo=UTC)), ()
