"""Decodes Keepa's product responses, as Airbyte lands them, into the tables of `tables/`.

Here: the decoder's entry point. Not here: its steps (`decoding/`), and what a valid row is (`tables/`, `enforce.py`).

How a record that cannot become a row is rejected:

- A line that is not a response (not JSON, changed by Airbyte, an error of Keepa, no products) is one rejection of
  `product`.
- A product with an invalid header (`productType` 3 or 4, asin, domain, shape) is one rejection of `product`.
- Otherwise only the bad piece is rejected, under its own table: a field, a history, a point, a figure.

`records_in` counts points (a pair or a triple each, an incomplete last one too), figures in `stats`, elements of
`products` in `product`; a piece that cannot be split into records counts as one.
"""

from collections.abc import Iterable
from datetime import datetime

from simdjson import Parser

from vp_pipeline.sources.keepa.decoding.assemble import assemble
from vp_pipeline.sources.keepa.decoding.lines import Unreadable, read_response
from vp_pipeline.sources.keepa.decoding.parts.products import read_product
from vp_pipeline.sources.keepa.decoding.pieces import Pieces
from vp_pipeline.sources.keepa.tables import TABLES
from vp_pipeline.sources.landed import Decoded, LandedLine


def decode(lines: Iterable[LandedLine], not_before: datetime | None = None) -> dict[str, Decoded]:
    """Decode a partition. All tables are in the result, by name, whether they have rows or not.

    `not_before`: a response of an earlier moment (UTC) is not of the day, and rejected; None: it may be of any.

    The order of the lines does not matter: each names its `object` and `line`. Repeated records count
    as duplicates; of records with the same natural key and different values the one that Airbyte extracted last stays
    (then: the later object, line, position), and the others are rejected. Raises nothing for bad data.
    """
    parser, pieces = Parser(), Pieces()
    for line in lines:
        _read(parser, line, not_before, pieces)
    return {table.name: assemble(table, pieces) for table in TABLES}


def _read(parser: Parser, line: LandedLine, not_before: datetime | None, pieces: Pieces) -> None:
    # The parser rejects the next line while anything of this one is referenced: all of it is freed with this frame.
    response = read_response(parser, line, not_before)
    if isinstance(response, Unreadable):
        asin = response.requested[0].partition(":")[2] if len(response.requested) == 1 else ""
        pieces.reject_line(line, response.reason, response.piece, asin)
        return
    for position in range(len(response.products)):
        read_product(response, position, pieces)
