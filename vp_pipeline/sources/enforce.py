"""Checks candidate rows against a table's contract.

Here: which rows break which rule of `Column`. Not here: what happens to them (the decoders quarantine them), and the
checks of tables that are already written (`quality/contract.py`).

It lives under `sources` because decoders call it, and `sources` imports nothing above it.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from vp_pipeline.sources.contract import Column, Table

Mask = npt.NDArray[np.bool_]


def enforce(table: Table, rows: pa.Table) -> tuple[pa.Table, list[tuple[int, str]]]:
    """Separate the rows that keep the contract from the others.

    `rows` has the table's columns in order; text columns may be dictionary-encoded (then each distinct text is
    checked once, which makes the gate cheap). Returns the valid rows, in order, and `(index into rows, reason)` of each
    other row, by index; a row that breaks several rules has them all in its reason. With no breach, `rows` itself
    is returned. Raises ValueError when the columns are not the table's.
    """
    if rows.column_names != [c.name for c in table.columns]:
        raise ValueError(f"{table.name}: columns are {rows.column_names}, not those of the contract")
    breaches: dict[int, list[str]] = {}
    for column in table.columns:
        for index, reason in _breaches(column, rows):
            breaches.setdefault(index, []).append(reason)
    if not breaches:
        return rows, []
    valid = np.ones(rows.num_rows, dtype=np.bool_)
    valid[list(breaches)] = False
    return rows.filter(pa.array(valid)), [(i, "; ".join(breaches[i])) for i in sorted(breaches)]


def _breaches(column: Column, rows: pa.Table) -> Iterator[tuple[int, str]]:
    values = rows.column(column.name)
    if not column.nullable and values.null_count:
        for index in _where(pc.is_null(values)):
            yield index, f"{column.name} is null: a value is required"
    if column.at_least is not None or column.at_most is not None:
        yield from _range_breaches(column, rows, values)
    if column.one_of is not None or column.matches is not None:
        yield from _text_breaches(column, values)


def _range_breaches(column: Column, rows: pa.Table, values: "pa.ChunkedArray[Any]") -> Iterator[tuple[int, str]]:
    extremes: Any = pc.min_max(values).as_py()
    low, high = column.at_least, column.at_most
    if low is not None and extremes["min"] is not None and extremes["min"] < low:
        for index in _where(pc.less(values, pa.scalar(low)), _bounded(column, rows)):
            yield index, f"{column.name} is {values[index].as_py()}: at least {low} is allowed"
    if high is not None and extremes["max"] is not None and extremes["max"] > high:
        for index in _where(pc.greater(values, pa.scalar(high)), _bounded(column, rows)):
            yield index, f"{column.name} is {values[index].as_py()}: at most {high} is allowed"


def _bounded(column: Column, rows: pa.Table) -> Mask | None:
    """Rows that the column's range applies to; None: all."""
    if column.unbounded_where is None:
        return None
    name, value = column.unbounded_where
    return ~_mask(pc.equal(_plain(rows.column(name)), pa.scalar(value)))


def _text_breaches(column: Column, values: "pa.ChunkedArray[Any]") -> Iterator[tuple[int, str]]:
    encoded = _encoded(values)
    texts = encoded.dictionary
    for wrong, rule in _text_rules(column, texts):
        bad = pc.and_kleene(wrong, pc.is_valid(texts))
        if not pc.any(bad).as_py():
            continue
        # An encoded column may carry texts that no row uses: only rows count.
        for index in _where(pc.is_in(encoded.indices, pc.indices_nonzero(bad).cast(encoded.indices.type))):
            yield index, f"{column.name} is {encoded[index].as_py()!r}: {rule}"


def _text_rules(column: Column, texts: "pa.Array[Any]") -> Iterator[tuple[Any, str]]:
    if column.one_of is not None:
        allowed = pc.is_in(texts, pa.array(column.one_of, pa.string()))
        yield pc.invert(allowed), f"not one of the {len(column.one_of)} allowed values"
    if column.matches is not None:
        matching = pc.match_substring_regex(texts, rf"\A(?:{column.matches})\z")
        yield pc.invert(matching), f"must match {column.matches}"


def _encoded(values: "pa.ChunkedArray[Any]") -> "pa.DictionaryArray[Any, Any]":
    if not pa.types.is_dictionary(values.type):
        values = values.dictionary_encode()
    if values.num_chunks > 1:
        values = values.unify_dictionaries()
    array: Any = values.combine_chunks() if values.num_chunks != 1 else values.chunk(0)
    return array  # type: ignore[no-any-return]


def _plain(values: "pa.ChunkedArray[Any]") -> "pa.ChunkedArray[Any]":
    return values.cast(pa.string()) if pa.types.is_dictionary(values.type) else values


def _mask(condition: Any) -> Mask:
    """A condition as booleans; null (nothing to compare) is False."""
    mask: Mask = np.asarray(pc.fill_null(condition, False))
    return mask


def _where(condition: Any, also: Mask | None = None) -> list[int]:
    mask = _mask(condition) if also is None else _mask(condition) & also
    indices: list[int] = np.flatnonzero(mask).tolist()
    return indices
