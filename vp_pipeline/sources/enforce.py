"""Checks candidate rows against a table's contract.

Here: which rows break which rule of `Column`. Not here: what happens to them (the decoders quarantine them), and the
checks of tables that are already written (`quality/contract.py`).

It lives under `sources` because decoders call it, and `sources` imports nothing above it.
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from vp_pipeline.sources.contract import TEXT, Column, Limit, Table

_SHOWN = 40  # characters of a text, in a reason
Bound = int | Decimal | datetime | None
Mask = npt.NDArray[np.bool_]


def enforce(table: Table, rows: pa.Table) -> tuple[pa.Table, list[tuple[int, str]]]:
    """Separate the rows that keep the contract from the others.

    `rows` has the table's columns in order; text columns may be dictionary-encoded (then each distinct text is
    checked once, which makes the gate cheap). Returns the valid rows, in order, and `(index into rows, reason)` of each
    other row, by index; a row that breaks several rules has them all in its reason. With no breach, `rows` itself
    is returned. Raises ValueError when the columns are not the table's.
    """
    breaches: dict[int, list[str]] = {}
    for _, index, reason in breaches_by_column(table, rows):
        breaches.setdefault(index, []).append(reason)
    if not breaches:
        return rows, []
    valid = np.ones(rows.num_rows, dtype=np.bool_)
    valid[list(breaches)] = False
    return rows.filter(pa.array(valid)), [(i, "; ".join(breaches[i])) for i in sorted(breaches)]


def breaches_by_column(table: Table, rows: pa.Table) -> Iterator[tuple[Column, int, str]]:
    """(column, index into rows, reason) of each value that breaks a rule of its column. Raises ValueError as above."""
    if rows.column_names != [c.name for c in table.columns]:
        raise ValueError(f"{table.name}: columns are {rows.column_names}, not those of the contract")
    for column in table.columns:
        for index, reason in _breaches(column, rows):
            yield column, index, reason


def _breaches(column: Column, rows: pa.Table) -> Iterator[tuple[int, str]]:
    values = rows.column(column.name)
    if not column.nullable and values.null_count:
        for index in _where(pc.is_null(values)):
            yield index, f"{column.name} is null: a value is required"
    if column.type == TEXT:
        yield from _text_breaches(column, values)
        return
    yield from _range_breaches(column.name, values, column.at_least, column.at_most)
    for limit in column.limits:
        yield from _range_breaches(column.name, values, limit.at_least, limit.at_most, (limit, rows))
    if column.never:
        for index in _where(pc.is_in(values, pa.array(column.never, values.type))):
            yield index, f"{column.name} is {values[index].as_py()}: no such value exists"
    if column.not_after is not None:
        other = rows.column(column.not_after)
        for index in _where(pc.greater(values, other)):
            yield (
                index,
                f"{column.name} is {values[index].as_py()}: later than {column.not_after}, {other[index].as_py()}",
            )
    if column.with_it is not None:
        yield from _paired_breaches(column, *column.with_it, rows)


def _range_breaches(
    name: str, values: "pa.ChunkedArray[Any]", low: Bound, high: Bound, where: tuple[Limit, pa.Table] | None = None
) -> Iterator[tuple[int, str]]:
    """`where`: the range is of the rows alone that the limit is of."""
    extremes: Any = pc.min_max(values).as_py() if (low, high) != (None, None) else {"min": None, "max": None}
    suffix = f" where {where[0].column} is {where[0].matches}" if where else ""
    if low is not None and extremes["min"] is not None and extremes["min"] < low:
        for index in _where(pc.less(values, _bound(low, values.type)), _rows_of(where)):
            yield index, f"{name} is {values[index].as_py()}: at least {low} is allowed{suffix}"
    if high is not None and extremes["max"] is not None and extremes["max"] > high:
        for index in _where(pc.greater(values, _bound(high, values.type)), _rows_of(where)):
            yield index, f"{name} is {values[index].as_py()}: at most {high} is allowed{suffix}"


def _bound(value: Bound, of: pa.DataType) -> Any:
    """A bound as a value of the column's type. Raises pyarrow.ArrowInvalid: no value of that type is like it."""
    # Arrow takes a whole number for a decimal only where the zeros after its point fit too.
    return pa.scalar(Decimal(value) if isinstance(value, int) and pa.types.is_decimal(of) else value, of)


def _rows_of(where: tuple[Limit, pa.Table] | None) -> Mask | None:
    """The rows that a limit is of; None: all. Each distinct text is matched once."""
    if where is None:
        return None
    limit, rows = where
    encoded = _encoded(rows.column(limit.column))
    found = pc.fill_null(_matches(encoded.dictionary, limit.matches), False)
    return _mask(pc.take(found, encoded.indices))


def _paired_breaches(column: Column, value: int, other: str, rows: pa.Table) -> Iterator[tuple[int, str]]:
    """Where the column has the value and the other one has another."""
    others = rows.column(other)
    differs = pc.and_(pc.equal(rows.column(column.name), pa.scalar(value)), pc.not_equal(others, pa.scalar(value)))
    for index in _where(differs):
        yield (
            index,
            f"{column.name} is {value} and {other} is {others[index].as_py()}: {value} or none is allowed with it",
        )


def _text_breaches(column: Column, values: "pa.ChunkedArray[Any]") -> Iterator[tuple[int, str]]:
    encoded = _encoded(values)
    texts = encoded.dictionary
    for wrong, rule in _text_rules(column, texts):
        bad = pc.and_kleene(wrong, pc.is_valid(texts))
        if not pc.any(bad).as_py():
            continue
        # An encoded column may carry texts that no row uses: only rows count.
        for index in _where(pc.is_in(encoded.indices, pc.indices_nonzero(bad).cast(encoded.indices.type))):
            yield index, f"{column.name} is {_short(encoded[index].as_py())}: {rule}"


def _text_rules(column: Column, texts: Any) -> Iterator[tuple[Any, str]]:
    if column.one_of is not None:
        allowed = pc.is_in(texts, pa.array(column.one_of, pa.string()))
        yield pc.invert(allowed), f"not one of the {len(column.one_of)} allowed values"
    if column.matches is not None:
        yield pc.invert(_matches(texts, column.matches)), f"must match {column.matches}"
    if column.at_least is not None:
        yield (
            pc.less(pc.utf8_length(texts), pa.scalar(column.at_least)),
            f"at least {column.at_least} characters are allowed",
        )
    if column.at_most is not None:
        yield (
            pc.greater(pc.utf8_length(texts), pa.scalar(column.at_most)),
            f"at most {column.at_most:,} characters are allowed",
        )


def _matches(texts: Any, pattern: str) -> Any:
    return pc.match_substring_regex(texts, rf"\A(?:{pattern})\z")


def _short(text: str) -> str:
    return repr(text) if len(text) <= _SHOWN else f"{text[:_SHOWN]!r}… ({len(text):,} characters)"


def _encoded(values: "pa.ChunkedArray[Any]") -> "pa.DictionaryArray[Any, Any]":
    if not pa.types.is_dictionary(values.type):
        values = values.dictionary_encode()
    if values.num_chunks > 1:
        values = values.unify_dictionaries()
    array: Any = values.combine_chunks() if values.num_chunks != 1 else values.chunk(0)
    return array  # type: ignore[no-any-return]


def _mask(condition: Any) -> Mask:
    """A condition as booleans; null (nothing to compare) is False."""
    mask: Mask = np.asarray(pc.fill_null(condition, False))
    return mask


def _where(condition: Any, also: Mask | None = None) -> list[int]:
    mask = _mask(condition) if also is None else _mask(condition) & also
    indices: list[int] = np.flatnonzero(mask).tolist()
    return indices
