"""Counts over Amazon's orders as they landed: the day that they are of, and which names Amazon does not document.

Here: names of fields, and the day of a record. Not here: other values (`decode.py`).
"""

from collections.abc import Iterable
from datetime import UTC

from vp_pipeline.sources.envelope import Unreadable, inspected
from vp_pipeline.sources.landed import Inspection, LandedLine, Received
from vp_pipeline.sources.sp_api.decoding.lines import read_answer


def inspect(lines: Iterable[LandedLine]) -> Inspection:
    """Also: the names that the connector found in no document of Amazon; and the day of each record, as its last
    moment."""
    return inspected(lines, _read)


def _read(line: LandedLine) -> tuple[Received, Iterable[str]] | Unreadable:
    answer = read_answer(line)
    if isinstance(answer, Unreadable):
        return answer
    order_id = answer.order.get("orderId") or answer.order.get("AmazonOrderId")
    subject = order_id if isinstance(order_id, str) else None
    return Received(subject, subject, answer.snapshot_at.replace(tzinfo=UTC)), answer.unknown
