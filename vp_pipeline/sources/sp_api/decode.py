"""Decodes Amazon's orders, as the connector lands them, into the tables of `tables.py`.

Here: the decoder's entry point. Not here: its steps (`decoding/`), and what a valid row is (`tables.py`, `enforce.py`).

How a record that cannot become a row is rejected:

- A line that is not an order (not JSON, changed by Airbyte, of another day) is one rejection of `order`.
- An order with a field that cannot be read is one rejection of `order`. Where the field is one that its items have too
  (numbers, status, moments), they are rejected with it; otherwise they are sound.
- Otherwise only the item is rejected.

`records_in` counts lines in `order` (of v0 an order has a line per page of its items: equal ones are duplicates), and
in `order_item` the elements of the list of items; a list that is none counts as one.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from vp_pipeline.sources.collected import Collected
from vp_pipeline.sources.envelope import Unreadable
from vp_pipeline.sources.landed import Decoded, LandedLine
from vp_pipeline.sources.sp_api.decoding import newest, v0
from vp_pipeline.sources.sp_api.decoding.fields import Fields
from vp_pipeline.sources.sp_api.decoding.lines import Answer, read_answer
from vp_pipeline.sources.sp_api.marketplaces import MARKETPLACES
from vp_pipeline.sources.sp_api.tables import ORDER, ORDER_ITEM


def decode(lines: Iterable[LandedLine], not_before: datetime | None = None) -> dict[str, Decoded]:
    """Decode a partition. Both tables are in the result, by name, whether they have rows or not.

    `not_before`: an answer to an earlier day (UTC) is rejected; None: it may be of any.

    The order of the lines does not matter. Repeated records count as duplicates; of records with the same natural key
    and different values the one that Airbyte extracted last stays (then: the later object, line, position), and the
    others are rejected. Raises nothing for bad data.
    """
    orders, items = Collected(ORDER), Collected(ORDER_ITEM)
    for line in lines:
        answer = read_answer(line, not_before)
        if isinstance(answer, Unreadable):
            orders.add_line(answer, line)
        else:
            _read(answer, orders, items)
    return {collected.table.name: collected.assemble() for collected in (orders, items)}


def _read(answer: Answer, orders: Collected, items: Collected) -> None:
    api = v0 if answer.api_version == "v0" else newest
    head, own = Fields(answer.order), Fields(answer.order)
    header: dict[str, Any] = {**api.header(head), "snapshot_at": answer.snapshot_at}
    marketplace = MARKETPLACES.get(header["marketplace_id"] or "")
    rest = {"country": marketplace.country if marketplace else None, "api_version": answer.api_version}
    line, at, entity = answer.line, answer.extracted_at, header["order_id"]
    row = {**header, **api.rest(own), **rest}
    orders.add(line, at, row, answer.order, head.problems + own.problems, entity=entity)
    if answer.items is not None and not isinstance(answer.items, list):
        items.add(line, at, header, answer.items, ["the items are not a list"], entity=entity)
        return
    includes_tax = {"price_includes_tax": marketplace.includes_tax if marketplace else None}
    of_order = [f"of its order, {problem}" for problem in head.problems]
    for position, piece in enumerate(answer.items or ()):
        found = Fields(piece)
        row = {**header, **includes_tax, **api.item(found, header)}
        items.add(line, at, row, piece, of_order + found.problems, entity=entity, position=position)
