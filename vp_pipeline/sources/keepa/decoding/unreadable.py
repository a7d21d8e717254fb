"""Rows in place of rejected points: from their times on a history is unknown, until its next point.

Here: which rows these are, and how they join a table's rows. Not here: which points are rejected (`histories.py`,
`assemble.py`), and what models do with an unknown stretch (dbt's `step_function_by_day`).

Without them the value before a rejected point would hold on, as if nothing had been heard since.
"""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vp_pipeline.sources.contract import Table
from vp_pipeline.sources.enforce import enforce
from vp_pipeline.sources.keepa.decoding.columns import WIDTHS, candidate_rows
from vp_pipeline.sources.keepa.decoding.lines import LATEST_US
from vp_pipeline.sources.keepa.decoding.pieces import Pieces
from vp_pipeline.sources.keepa.decoding.stack import Stack
from vp_pipeline.sources.keepa.series import KEEPA_EPOCH_MINUTES

# The last Keepa minute of 2099.
LAST_MINUTE = LATEST_US // 60_000_000 - KEEPA_EPOCH_MINUTES - 1


def with_unreadable(table: Table, rows: pa.Table, pieces: Pieces) -> tuple[pa.Table, int]:
    """The table's rows with those of its unreadable points, and how many these are; sorted by natural key.

    A point that breaks the contract by its time or its series gets no row, nor does one whose key has a valid row: the
    same response, delivered twice, was readable once.
    """
    stack = Stack.of(pieces.unreadable[table.name], WIDTHS[table.name])
    stack = stack.pick(np.flatnonzero((stack.at >= 0) & (stack.at <= LAST_MINUTE)))
    if not len(stack):
        return rows, 0
    candidates, _ = enforce(table, _without_values(table, candidate_rows(table, stack, pieces)))
    candidates = candidates.cast(table.schema)
    taken = set(_keys(table, rows.filter(pc.is_in(rows["asin"], pc.unique(candidates["asin"])))))
    kept = []
    for index, key in enumerate(_keys(table, candidates)):
        if key not in taken:
            taken.add(key)
            kept.append(index)
    joined = pa.concat_tables([rows, candidates.take(pa.array(kept, pa.int64()))])
    return joined.sort_by([(name, "ascending") for name in table.natural_key]).combine_chunks(), len(kept)


def _without_values(table: Table, rows: pa.Table) -> pa.Table:
    for position, column in enumerate(table.columns):
        if column.nullable and column.name not in table.natural_key:
            nulls = pa.array([None] * rows.num_rows, type=column.type.arrow)
            rows = rows.set_column(position, column.name, nulls)
    return rows


def _keys(table: Table, rows: pa.Table) -> list[tuple[Any, ...]]:
    return list(zip(*(rows[name].to_pylist() for name in table.natural_key), strict=True))
