"""All points of one table on top of each other, each knowing its block.

Here: stacking, order, and which points share a natural key. Not here: columns and contracts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from vp_pipeline.sources.keepa.decoding.pieces import Block, Ints

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Stack:
    """Points of one table. `at` and each of `values` are int64[n].

    `blocks` are sorted by natural key, then by age; `lengths` counts the points that each came with. `source[i]` is
    where row i was in the blocks laid end to end; None: right there, at i.
    """

    blocks: list[Block]
    lengths: Ints
    at: Ints
    values: tuple[Ints, ...]
    source: Ints | None = None

    @classmethod
    def of(cls, blocks: Sequence[Block], width: int) -> "Stack":
        """Stack blocks of `width` value arrays each."""
        ordered = sorted(blocks, key=_place)
        lengths = np.array([len(block.at) for block in ordered], dtype=np.int64)
        at = _joined([block.at for block in ordered])
        values = tuple(_joined([block.values[i] for block in ordered]) for i in range(width))
        return cls(ordered, lengths, at, values)

    def __len__(self) -> int:
        return len(self.at)

    def each(self, of_block: Callable[[Block], int | bool], dtype: npt.DTypeLike = np.int64) -> Any:
        """A number of each row's block, as dtype[n]."""
        return self.spread(np.array([of_block(block) for block in self.blocks], dtype=dtype))

    def spread(self, per_block: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """One element per block to one per row."""
        laid_out = np.repeat(per_block, self.lengths)
        return laid_out if self.source is None else laid_out[self.source]

    def block_of(self, row: int) -> Block:
        place = row if self.source is None else int(self.source[row])
        return self.blocks[int(np.searchsorted(self._ends, place, side="right"))]

    def pick(self, rows: Ints) -> "Stack":
        """The given rows, in the given order."""
        source = rows if self.source is None else self.source[rows]
        return replace(self, at=self.at[rows], values=tuple(v[rows] for v in self.values), source=source)

    def sorted(self) -> "Stack":
        """Sorted by natural key; points of the same key by age, the newest last."""
        unordered = (self.at[1:] <= self.at[:-1]) & (self._group[1:] == self._group[:-1])
        if not unordered.any():
            return self
        # Only the groups that are out of order are sorted: the two responses of one product, mostly.
        touched = np.zeros(int(self._group[-1]) + 1, dtype=np.bool_)
        touched[self._group[1:][unordered]] = True
        rows = np.flatnonzero(touched[self._group])
        order = np.arange(len(self), dtype=np.int64)
        order[rows] = rows[np.lexsort((self._snapshot[rows], self.at[rows], self._group[rows]))]
        return self.pick(order)

    def winners(self) -> Ints | None:
        """For each row of a sorted stack the row that stays of those with its key: the newest. None: no key repeats."""
        again = (self.at[1:] == self.at[:-1]) & (self._group[1:] == self._group[:-1])
        if not again.any():
            return None
        again &= self._snapshot[1:] == self._snapshot[:-1]
        if not again.any():
            return None
        ends = np.flatnonzero(np.append(~again, True))
        run = np.concatenate(([0], np.cumsum(~again)))
        return ends[run]

    def same_values(self, other: Ints) -> Mask:
        """Whether each row has the same values as the row that `other` names for it."""
        same = np.ones(len(self), dtype=np.bool_)
        for values in self.values:
            same &= values == values[other]
        return same

    @cached_property
    def _ends(self) -> Ints:
        return np.cumsum(self.lengths)

    @cached_property
    def _group(self) -> Ints:
        """A number for the part of the natural key before `at`; it increases with the key."""
        heads = [_head(block) for block in self.blocks]
        steps = [False, *(a != b for a, b in pairwise(heads))][: len(heads)]
        return self.spread(np.cumsum(np.array(steps, dtype=np.int32), dtype=np.int32))

    @cached_property
    def _snapshot(self) -> Ints:
        snapshots: Ints = self.each(lambda block: block.origin.snapshot_us)
        return snapshots


def _head(block: Block) -> tuple[Any, ...]:
    return (block.origin.asin, block.origin.domain_id, *block.key)


def _place(block: Block) -> tuple[Any, ...]:
    return (*_head(block), block.origin)


def _joined(arrays: list[Ints]) -> Ints:
    return np.concatenate(arrays) if arrays else np.empty(0, dtype=np.int64)
