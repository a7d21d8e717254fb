"""Counts over Amazon's orders as they landed: the day that they are of, and which names Amazon does not document.

Here: names of fields, and the day of a record. Not here: other values (`decode.py`).
"""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC

from vp_pipeline.sources.envelope import Unreadable
from vp_pipeline.sources.landed import ALTERED, Inspection, LandedLine, Received
from vp_pipeline.sources.sp_api.decoding.lines import read_answer


def inspect(lines: Iterable[LandedLine]) -> Inspection:
    """How many records there are, and changed ones; the names that the connector found in no document of Amazon; and
    the day of each record, as its last moment.

    A line that is not an order counts as a record and nothing else; the decoder reports what is wrong with it.
    """
    records = altered = 0
    unknown: Counter[str] = Counter()
    received: list[Received] = []
    for line in lines:
        records += 1
        answer = read_answer(line)
        if isinstance(answer, Unreadable):
            altered += answer.reason.startswith(ALTERED)
            continue
        unknown.update(set(answer.unknown))
        order_id = answer.order.get("orderId") or answer.order.get("AmazonOrderId")
        subject = order_id if isinstance(order_id, str) else None
        received.append(Received(subject, subject, answer.snapshot_at.replace(tzinfo=UTC)))
    return Inspection(records, altered, dict(unknown), {}, tuple(received))
