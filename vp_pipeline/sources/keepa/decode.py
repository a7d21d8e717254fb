"""Keepa's product answers, as Airbyte lands them, to the eight tables of `tables.py`.

Here: the decoder's door. Not here: its steps (`decoding/`), and what a valid row is (`tables.py`, `enforce.py`).

What becomes of a record that cannot become a row:

- A line that is no answer (not JSON, changed by Airbyte, an error of Keepa, no products) is one rejection of `product`.
- A product whose header cannot be believed (`productType` 3 or 4, asin, domain, shape) is one rejection of `product`.
- Otherwise only the bad piece is rejected, under its own table: a field, a history, a point, a figure.

`records_in` counts points (a pair or a triple each, an incomplete last one too), figures in `stats`, elements of
`products` in `product`; a piece that cannot be taken apart counts one.
"""

from collections.abc import Iterable

from simdjson import Parser

from vp_pipeline.sources.keepa.decoding.assemble import assemble
from vp_pipeline.sources.keepa.decoding.lines import Unreadable, read_answer
from vp_pipeline.sources.keepa.decoding.pieces import Pieces
from vp_pipeline.sources.keepa.decoding.products import read_product
from vp_pipeline.sources.keepa.tables import TABLES
from vp_pipeline.sources.landed import Decoded, LandedLine


def decode(lines: Iterable[LandedLine]) -> dict[str, Decoded]:
    """Decode a partition. All tables are in the result, by name, whether they have rows or not.

    The order of the lines does not matter: `object` and `line` of each tell where it came from. Repeated records count
    as duplicates; of records with the same natural key and different values the one that Airbyte extracted last stays
    (then: the later object, line, position), and the others are rejected. Raises nothing for bad data.
    """
    parser, pieces = Parser(), Pieces()
    for line in lines:
        _read(parser, line, pieces)
    return {table.name: assemble(table, pieces) for table in TABLES}


def _read(parser: Parser, line: LandedLine, pieces: Pieces) -> None:
    # The parser refuses the next line while anything of this one is alive: all of it dies with this frame.
    answer = read_answer(parser, line)
    if isinstance(answer, Unreadable):
        pieces.reject_line(line, answer.reason, answer.piece)
        return
    for position in range(len(answer.products)):
        read_product(answer, position, pieces)
