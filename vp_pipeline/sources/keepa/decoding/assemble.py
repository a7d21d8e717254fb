"""The collected pieces of a table become its rows: stacked, sorted, checked against the contract, unique.

Here: validity, duplicates and conflicts, for every table alike. Not here: what columns a table has (`columns.py`), how
points are ordered (`stack.py`), and the rows in place of rejected points (`unreadable.py`).
"""

from typing import Any

import numpy as np
import pyarrow as pa

from vp_pipeline.sources.contract import Table
from vp_pipeline.sources.enforce import breaches_by_column, enforce
from vp_pipeline.sources.keepa.decoding.columns import WIDTHS, candidate_rows, point
from vp_pipeline.sources.keepa.decoding.numbers import LARGEST
from vp_pipeline.sources.keepa.decoding.pieces import Pieces
from vp_pipeline.sources.keepa.decoding.stack import Mask, Stack
from vp_pipeline.sources.keepa.decoding.unreadable import LAST_MINUTE, with_unreadable
from vp_pipeline.sources.keepa.tables import PRODUCT, PRODUCT_STATE
from vp_pipeline.sources.landed import Decoded, Rejected, as_record

CONFLICT = "conflicts with a newer record of the same key"


def assemble(table: Table, pieces: Pieces) -> Decoded:
    """Build one table of everything that was read.

    Points that break the contract are removed before keys are compared: a valid point never yields to an invalid one.
    """
    rejected = list(pieces.rejected[table.name])
    stack = Stack.of(pieces.blocks[table.name], WIDTHS[table.name])
    stack = _within_range(table, stack, pieces, rejected).sorted()
    candidates = candidate_rows(table, stack, pieces)
    fields = 0
    if table in (PRODUCT, PRODUCT_STATE):
        candidates, fields = _without_bad_fields(table, stack, candidates, rejected)
    stack, rows = _within_contract(table, stack, candidates, pieces, rejected)
    rows, duplicates = _unique(table, stack, rows, rejected)
    rows, unreadable = with_unreadable(table, rows.cast(table.schema), pieces)
    return Decoded(
        table=table,
        records_in=pieces.records_in[table.name] + fields,
        rows=rows,
        duplicates=duplicates + pieces.repeated[table.name],
        quarantined=tuple(sorted(rejected, key=_place)),
        unreadable=unreadable,
    )


def _within_range(table: Table, stack: Stack, pieces: Pieces, rejected: list[Rejected]) -> Stack:
    """Drops points with numbers that are out of range: times beyond the calendar, values beyond 2^53."""
    bad_time = _outside(stack.at, 0, LAST_MINUTE)
    bad_value = [_outside(values, -LARGEST, LARGEST) for values in stack.values]
    bad = np.logical_or.reduce([bad_time, *bad_value])
    if not bad.any():
        return stack
    for row in np.flatnonzero(bad).tolist():
        time = f"time is {stack.at[row]}: Keepa minutes from 0 (2011) to {LAST_MINUTE} (2099) are allowed"
        reason = time if bad_time[row] else "a value of the point is an integer beyond 2^53"
        rejected.append(_rejection(table, stack, row, reason, point(table, stack, row, pieces)))
    return stack.pick(np.flatnonzero(~bad))


def _outside(numbers: Any, low: int, high: int) -> Mask:
    if not len(numbers) or (numbers.min() >= low and numbers.max() <= high):
        return np.zeros(len(numbers), dtype=np.bool_)
    mask: Mask = (numbers < low) | (numbers > high)
    return mask


def _without_bad_fields(table: Table, stack: Stack, rows: pa.Table, rejected: list[Rejected]) -> tuple[pa.Table, int]:
    """Products with null in the place of each field that breaks the contract, and how many these were: a field is a
    rejected piece of its own, because the rest of the product, and its histories, may be sound."""
    breaches = [each for each in breaches_by_column(table, rows) if each[0].nullable]
    cells = {(column.name, index): reason for column, index, reason in breaches}
    for name in {name for name, _ in cells}:
        values = rows[name].to_pylist()
        for index in (index for column, index in cells if column == name):
            reason = f"{cells[name, index]}; the product's row has null"
            rejected.append(_rejection(table, stack, index, reason, {name: values[index]}))
            values[index] = None
        rows = rows.set_column(rows.column_names.index(name), name, pa.array(values, rows.schema.field(name).type))
    return rows, len(cells)


def _within_contract(
    table: Table, stack: Stack, rows: pa.Table, pieces: Pieces, rejected: list[Rejected]
) -> tuple[Stack, pa.Table]:
    valid, refused = enforce(table, rows)
    if not refused:
        return stack, rows
    rejected += _rejections(table, stack, rows, refused)
    for row, _ in refused:
        _unknown_since(table, stack, row, pieces)
    kept = np.ones(len(stack), dtype=np.bool_)
    kept[[row for row, _ in refused]] = False
    return stack.pick(np.flatnonzero(kept)), valid


def _unknown_since(table: Table, stack: Stack, row: int, pieces: Pieces) -> None:
    if "observed_at" in table.natural_key:
        block = stack.block_of(row)
        pieces.unknown_since(table.name, block.origin, block.key, [int(stack.at[row])])


def _unique(table: Table, stack: Stack, rows: pa.Table, rejected: list[Rejected]) -> tuple[pa.Table, int]:
    """One row per natural key: the newest. Others are duplicates if they are equal to it, conflicts if not."""
    winners = stack.winners()
    if winners is None:
        return rows, 0
    loses = winners != np.arange(len(stack))
    conflicts = loses & ~stack.same_values(winners)
    refused = [(row, CONFLICT) for row in np.flatnonzero(conflicts).tolist()]
    rejected += _rejections(table, stack, rows, refused)
    return rows.filter(pa.array(~loses)), int(loses.sum()) - len(refused)


def _rejections(table: Table, stack: Stack, rows: pa.Table, refused: list[tuple[int, str]]) -> list[Rejected]:
    records = rows.take(pa.array([row for row, _ in refused], type=pa.int64())).to_pylist()
    return [
        _rejection(table, stack, row, reason, record) for (row, reason), record in zip(refused, records, strict=True)
    ]


def _rejection(table: Table, stack: Stack, row: int, reason: str, record: Any) -> Rejected:
    origin = stack.block_of(row).origin
    return Rejected(table.name, reason, as_record(record), origin.object, origin.line, origin.asin)


def _place(rejected: Rejected) -> tuple[str, int, str, str, str]:
    return (
        rejected.source_object,
        rejected.source_line,
        rejected.entity or "",
        rejected.reason,
        rejected.record,
    )
