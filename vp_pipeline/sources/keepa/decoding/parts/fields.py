"""Fields of a product: how each is read, and the row that several make.

Here: single values. Not here: which field is which column (`products.py`, `states.py`), and ranges (`tables/`).

What stands for "unknown" in Keepa's responses becomes null: "" in texts; 0 and -1 in sizes, weights, categories and
times (other times below zero are before 2011); the largest 64-bit integer in categories; -1 (none) and -2 (not asked
for) in amounts, counts and sellers.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np

from vp_pipeline.sources.keepa.decoding.lines import LATEST_US
from vp_pipeline.sources.keepa.decoding.numbers import JsonObject, is_int, is_object, kind, not_an_integer, plain
from vp_pipeline.sources.keepa.decoding.pieces import Block, Origin, Pieces
from vp_pipeline.sources.keepa.series import KEEPA_EPOCH_MINUTES

NO_CATEGORY = 2**63 - 1
_NOW = np.zeros(1, dtype=np.int64)
_NONE = (-1, -2)
_DECIMALS = 4


class Field(NamedTuple):
    """Keepa's name (`object.name` for a field of an object in the product), our column, and how it is read: a function
    that raises ValueError for what is not such a field."""

    name: str
    column: str
    read: Callable[[Any], Any]


def read_row(
    table: str,
    product: JsonObject,
    fields: Iterable[Field],
    origin: Origin,
    pieces: Pieces,
    others: Mapping[str, Any] | None = None,
) -> list[Any]:
    """The values of the fields, in order. One that is not what it should be is null, and a rejected piece of its own:
    the rest of the product, and its histories, may be sound. `others`: objects in the product that another table
    reports where they are none."""
    row: list[Any] = []
    objects: dict[str, Any] = {"": product, **(others or {})}
    for name, _, read in fields:
        parent, _, own = name.rpartition(".")
        if parent not in objects:
            objects[parent] = _object(table, product, parent, origin, pieces)
        holder = objects[parent]
        value = None if holder is None else holder.get(own)
        try:
            row.append(None if value is None else read(value))
        except ValueError as error:
            row.append(None)
            pieces.reject_whole(table, origin, f"{name} {error}; the product's row has null", {name: plain(value)})
    return row


def add_row(table: str, row: tuple[Any, ...], origin: Origin, pieces: Pieces) -> None:
    """Collect the product's one row of a table."""
    code = pieces.interned[table].code(row)
    pieces.blocks[table].append(Block(origin, (), _NOW, (np.array([code]),)))


def _object(table: str, product: JsonObject, name: str, origin: Origin, pieces: Pieces) -> JsonObject | None:
    value: Any = product.get(name)
    if value is None or is_object(value):
        return value
    reason = f"{name} is not an object but {kind(value)}; the product's row has null"
    pieces.reject_whole(table, origin, reason, {name: plain(value)})
    return None


def text(value: Any) -> str | None:
    if not isinstance(value, str):
        raise ValueError(f"is not a text but {kind(value)}")
    return value or None


def flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"is not a boolean but {kind(value)}")
    return value


def integer(value: Any) -> int:
    if not is_int(value):
        raise ValueError(not_an_integer(value))
    return value


def size(value: Any) -> int | None:
    number = integer(value)
    if number < -1:
        raise ValueError(f"is {number}: at least -1 is allowed")
    return None if number in (0, -1) else number


def count(value: Any) -> int | None:
    """A number of something, or an amount in minor units; 0 is one."""
    number = integer(value)
    if number < min(_NONE):
        raise ValueError(f"is {number}: at least {min(_NONE)} is allowed")
    return None if number in _NONE else number


def fee(value: Any) -> int | None:
    """As `count`; 0 is a fee that cannot be calculated, because the product has no valid dimensions."""
    return count(value) or None


def seller(value: Any) -> str | None:
    return None if value in ("-1", "-2") else text(value)


def percent(value: Any) -> Decimal | None:
    """A share in percent, as Keepa writes it: 15.01 is exactly that."""
    if type(value) not in (int, float):
        raise ValueError(f"is not a number but {kind(value)}")
    number = Decimal(repr(value))
    if number in _NONE:
        return None
    if not 0 <= number <= 100:
        raise ValueError(f"is {value}: 0 to 100 are allowed")
    if number != round(number, _DECIMALS):
        raise ValueError(f"is {value}: {_DECIMALS} decimals are allowed")
    return number


def category(value: Any) -> int | None:
    return None if value == NO_CATEGORY else size(value)


def minute(value: Any) -> int | None:
    """A Keepa minute as unix microseconds. Amazon listed products before 2011, where Keepa's minutes are negative."""
    number = integer(value)
    moment = (number + KEEPA_EPOCH_MINUTES) * 60_000_000
    if not 0 <= moment < LATEST_US:
        raise ValueError(f"is {number}: Keepa minutes from 1970 to 2099 are allowed")
    return None if number in (0, -1) else moment
