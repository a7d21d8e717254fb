"""What reading collects before tables are built: blocks of points, rejections, and the count of records in.

Here: the values that pass from reading to assembling. Not here: either of the two.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from vp_pipeline.sources.keepa.decoding.numbers import as_text
from vp_pipeline.sources.keepa.tables import TABLES
from vp_pipeline.sources.landed import LandedLine, Rejected

Ints = npt.NDArray[np.int64]


class Origin(NamedTuple):
    """Where a product of a response came from.

    Ordered by age, the newest last: `extracted_us` (unix microseconds) decides between records of the same key, then
    the object's name, the line, and the position in `products`.
    """

    extracted_us: int
    object: str
    line: int
    position: int
    asin: str
    domain_id: int
    snapshot_us: int


class Block(NamedTuple):
    """Points of one table that share everything but what is in the arrays.

    `key`: the natural key's columns between `domain_id` and the arrays (the series, the category, the statistic).
    `at`: int64[n], the next column of the natural key: Keepa minutes, or a code that sorts as its text does.
    `values`: int64[n] each.
    """

    origin: Origin
    key: tuple[str | int, ...]
    at: Ints
    values: tuple[Ints, ...]


class Interned:
    """Codes for values that are not numbers: equal values get equal codes."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._codes: dict[Any, int] = {}

    def code(self, value: Any) -> int:
        code = self._codes.setdefault(value, len(self.values))
        if code == len(self.values):
            self.values.append(value)
        return code


def _per_table() -> dict[str, list[Any]]:
    return {table.name: [] for table in TABLES}


@dataclass(slots=True)
class Pieces:
    """Everything that was read, by table name.

    `records_in` is counted from the arrays as they came. `unreadable`: the times from which a history is unknown,
    because a point of it was rejected; their values mean nothing. `interned`: values that are not numbers, and rows of
    several. `repeated`: elements that their own list has before.
    """

    records_in: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    repeated: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    blocks: dict[str, list[Block]] = field(default_factory=_per_table)
    unreadable: dict[str, list[Block]] = field(default_factory=_per_table)
    rejected: dict[str, list[Rejected]] = field(default_factory=_per_table)
    interned: defaultdict[str, Interned] = field(default_factory=lambda: defaultdict(Interned))

    def reject_line(self, line: LandedLine, reason: str, piece: Any, asin: str) -> None:
        """Count and reject a record that yields no rows; `asin`: what it was requested for, if it names one."""
        self.records_in["product"] += 1
        self._add("product", reason, piece, line.object, line.line, asin)

    def reject(self, table: str, origin: Origin, reason: str, piece: Any) -> None:
        """Reject a piece that is already counted."""
        self._add(table, reason, piece, origin.object, origin.line, origin.asin)

    def unknown_since(self, table: str, origin: Origin, key: tuple[str | int, ...], minutes: Sequence[int]) -> None:
        """A history is unknown from each of these Keepa minutes until its next point."""
        if minutes:
            at = np.array(minutes, dtype=np.int64)
            self.unreadable[table].append(Block(origin, key, at, (np.zeros_like(at),) * 2))

    def reject_whole(self, table: str, origin: Origin, reason: str, piece: Any) -> None:
        """Count a piece that cannot be split into records as one, and reject it."""
        self.records_in[table] += 1
        self.reject(table, origin, reason, piece)

    def _add(self, table: str, reason: str, piece: Any, obj: str, line: int, asin: str | None) -> None:
        self.rejected[table].append(Rejected(table, reason, as_text(piece), obj, line, asin or None))
