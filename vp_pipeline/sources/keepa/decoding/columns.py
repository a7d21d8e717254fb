"""The columns of each of Keepa's tables, from stacked points.

Here: what a column is computed from. Not here: which rows are valid (`tables/` defines it, `sources/enforce.py`
checks it).

Texts are dictionary-encoded while rows are candidates: the contract checks each distinct text once.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from vp_pipeline.sources.contract import TEXT, TIMESTAMP, Table
from vp_pipeline.sources.keepa.decoding.parts.lists import IMAGE_FIELDS, VARIATION_FIELDS
from vp_pipeline.sources.keepa.decoding.parts.products import PRODUCT_FIELDS
from vp_pipeline.sources.keepa.decoding.parts.states import STATE_FIELDS
from vp_pipeline.sources.keepa.decoding.parts.stats import STAT_SERIES
from vp_pipeline.sources.keepa.decoding.parts.text_histories import HOLDER, TEXT_HISTORIES
from vp_pipeline.sources.keepa.decoding.pieces import Block, Ints, Pieces
from vp_pipeline.sources.keepa.decoding.stack import Stack
from vp_pipeline.sources.keepa.series import DOMAINS, KEEPA_EPOCH_MINUTES, SERIES
from vp_pipeline.sources.keepa.tables import BUY_BOX_USED, IMAGE, PRODUCT, PRODUCT_STATE, VARIATION

_WITH_SHIPPING = frozenset(s.name for s in SERIES if s.with_shipping)
Columns = dict[str, Any]  # name → Arrow array
# How many value arrays a block of each table has.
WIDTHS: Mapping[str, int] = {
    "product": 1, "price": 2, "rank": 1, "review": 1, "rank_reference": 1, "offer_count": 1, "buy_box": 1,
    "monthly_sold": 1, "stats": 2, "product_state": 1, "identifier": 1, "image": 1, "variation": 1,
    "bought_together": 1, "buy_box_used": 1, "coupon": 2, "parent_asin": 1,
}  # fmt: skip


def candidate_rows(table: Table, stack: Stack, pieces: Pieces) -> pa.Table:
    """The stack as rows with the table's columns, in the stack's order."""
    columns = {
        "asin": _text(stack, lambda block: block.origin.asin),
        "domain_id": pa.array(stack.each(lambda block: block.origin.domain_id)),
        "snapshot_at": _timestamps(stack.each(lambda block: block.origin.snapshot_us)),
        **_COLUMNS[table.name](stack, pieces),
    }
    return pa.table({column.name: columns[column.name] for column in table.columns})


def point(table: Table, stack: Stack, row: int, pieces: Pieces) -> dict[str, list[Any]]:
    """One row as Keepa wrote it, `{history: [t, value, …]}`, for rows that cannot be columns."""
    block = stack.block_of(row)
    values: list[Any] = [int(values[row]) for values in stack.values]
    if table.name == "price" and block.key[0] not in _WITH_SHIPPING:
        del values[1]
    elif table.name in TEXT_HISTORIES:
        values = [pieces.interned[table.name].values[values[0]]]
    return {" ".join(map(str, block.key)) or table.name: [int(stack.at[row]), *values]}


def _price(stack: Stack, pieces: Pieces) -> Columns:
    price, shipping = stack.values
    without = stack.each(lambda block: block.key[0] not in _WITH_SHIPPING, np.bool_)
    landed = np.where(price < 0, -1, price + np.maximum(shipping, 0))
    return {
        **_series(stack),
        "price": pa.array(price),
        "shipping": pa.array(shipping, mask=without),
        "landed_price": pa.array(landed),
        "currency": _currency(stack),
    }


def _rank(stack: Stack, pieces: Pieces) -> Columns:
    category = stack.each(lambda block: int(block.key[1]))
    return {**_series(stack), "category_id": pa.array(category), "sales_rank": pa.array(stack.values[0])}


def _value(stack: Stack, pieces: Pieces) -> Columns:
    return {**_series(stack), "value": pa.array(stack.values[0])}


def _texts(table: str, column: str) -> Callable[[Stack, Pieces], Columns]:
    """The columns of a history of texts."""

    def columns(stack: Stack, pieces: Pieces) -> Columns:
        texts = _encoded(stack.values[0], pieces.interned[table].values)
        return {"observed_at": _observed(stack.at), column: texts}

    return columns


def _buy_box_used(stack: Stack, pieces: Pieces) -> Columns:
    holders = _interned(BUY_BOX_USED, HOLDER, stack, pieces)
    return {"observed_at": _observed(stack.at), **holders}


def _coupon(stack: Stack, pieces: Pieces) -> Columns:
    one_time, subscribe_and_save = map(pa.array, stack.values)
    return {"observed_at": _observed(stack.at), "one_time": one_time, "subscribe_and_save": subscribe_and_save}


def _monthly_sold(stack: Stack, pieces: Pieces) -> Columns:
    return {"observed_at": _observed(stack.at), "monthly_sold": pa.array(stack.values[0])}


def _rank_reference(stack: Stack, pieces: Pieces) -> Columns:
    return {"observed_at": _observed(stack.at), "category_id": pa.array(stack.values[0])}


def _stats(stack: Stack, pieces: Pieces) -> Columns:
    value, time = stack.values
    return {
        "stat": _text(stack, lambda block: str(block.key[0])),
        "series": _encoded(stack.at, STAT_SERIES),
        "value": pa.array(value),
        "value_at": _timestamps(_unix_us(time), mask=time < 0),
    }


def _product(stack: Stack, pieces: Pieces) -> Columns:
    return _interned(PRODUCT, PRODUCT_FIELDS, stack, pieces)


def _product_state(stack: Stack, pieces: Pieces) -> Columns:
    return {"currency": _currency(stack), **_interned(PRODUCT_STATE, STATE_FIELDS, stack, pieces)}


def _listed(*keys: str) -> Callable[[Stack, Pieces], Columns]:
    """The columns of a list whose elements are keys of their own: those, and the position."""

    def columns(stack: Stack, pieces: Pieces) -> Columns:
        texts = {key: _key(stack, place) for place, key in enumerate(keys)}
        return {**texts, "position": pa.array(stack.values[0])}

    return columns


def _image(stack: Stack, pieces: Pieces) -> Columns:
    return {"position": pa.array(stack.at), **_interned(IMAGE, IMAGE_FIELDS, stack, pieces)}


def _variation(stack: Stack, pieces: Pieces) -> Columns:
    return {"variation_asin": _key(stack, 0), **_interned(VARIATION, VARIATION_FIELDS, stack, pieces)}


_COLUMNS: Mapping[str, Callable[[Stack, Pieces], Columns]] = {
    "product": _product,
    "product_state": _product_state,
    "price": _price,
    "rank": _rank,
    "rank_reference": _rank_reference,
    "review": _value,
    "offer_count": _value,
    "buy_box": _texts("buy_box", "seller_id"),
    "buy_box_used": _buy_box_used,
    "coupon": _coupon,
    "parent_asin": _texts("parent_asin", "parent_asin"),
    "identifier": _listed("kind", "value"),
    "image": _image,
    "variation": _variation,
    "bought_together": _listed("other_asin"),
    "monthly_sold": _monthly_sold,
    "stats": _stats,
}


def _interned(table: Table, names: Sequence[str], stack: Stack, pieces: Pieces) -> Columns:
    """The columns `names` of a table whose rows are interned. An unreadable point has code 0, perhaps of none."""
    types = {column.name: column.type.arrow for column in table.columns}
    known = pieces.interned[table.name].values or [(None,) * len(names)]
    rows = [known[code] for code in stack.values[0].tolist()]
    fields = zip(*rows, strict=True) if rows else [()] * len(names)
    return {name: pa.array(values, type=types[name]) for name, values in zip(names, fields, strict=True)}


def _currency(stack: Stack) -> "pa.Array[Any]":
    return _text(stack, lambda block: DOMAINS[block.origin.domain_id].currency)


def _series(stack: Stack) -> Columns:
    return {"series": _key(stack, 0), "observed_at": _observed(stack.at)}


def _key(stack: Stack, place: int) -> "pa.Array[Any]":
    """A column of the natural key that each block has."""
    return _text(stack, lambda block: str(block.key[place]))


def _text(stack: Stack, of_block: Callable[[Block], str]) -> "pa.Array[Any]":
    texts = sorted({of_block(block) for block in stack.blocks})
    codes = {text: code for code, text in enumerate(texts)}
    return _encoded(stack.each(lambda block: codes[of_block(block)], np.int32), texts)


def _encoded(codes: Any, texts: Sequence[str]) -> "pa.Array[Any]":
    # `safe` would check every code again; they all come from enumerating `texts`.
    indices = pa.array(codes.astype(np.int32, copy=False))
    return pa.DictionaryArray.from_arrays(indices, pa.array(texts, type=TEXT.arrow), safe=False)


def _observed(minutes: Ints) -> "pa.Array[Any]":
    return _timestamps(_unix_us(minutes))


def _unix_us(minutes: Ints) -> Ints:
    moments = minutes + KEEPA_EPOCH_MINUTES
    moments *= 60_000_000
    return moments


def _timestamps(unix_us: Ints, mask: Any = None) -> "pa.Array[Any]":
    return pa.array(unix_us, mask=mask).cast(TIMESTAMP.arrow)
