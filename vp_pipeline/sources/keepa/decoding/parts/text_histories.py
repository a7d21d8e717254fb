"""The histories of a product that are texts: who held the buy box, new and used, and which parent it belonged to.

Here: how a point is read. Not here: histories of numbers (`histories.py`), and whether a point keeps the contract
(`assemble.py`).

Keepa writes the minutes as texts too; a number is fine as well.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from vp_pipeline.sources.keepa.decoding.numbers import JsonObject, as_list, is_int, is_list, kind, plain
from vp_pipeline.sources.keepa.decoding.pieces import Block, Origin, Pieces

_MINUTE = re.compile(r"-?[0-9]{1,15}")
_CONDITION = re.compile(r"[0-9]{1,3}")


class _History(NamedTuple):
    """Keepa's name, the length of a point, and what reads the values after its minute (ValueError: it is not sound)."""

    name: str
    width: int
    read: Callable[[list[Any]], Any]


def read_text_histories(product: JsonObject, origin: Origin, pieces: Pieces) -> None:
    """Collect every history of texts of a product."""
    for table, history in TEXT_HISTORIES.items():
        _read(product.get(history.name), table, history, origin, pieces)


def _seller(values: list[Any]) -> str:
    return _text("seller id", values[0])


def _parent(values: list[Any]) -> str:
    return _text("parent", values[0])


# The columns of a holder of the buy box for used products, in order.
HOLDER = ("is_held", "seller_id", "condition", "is_fba")


def _holder(values: list[Any]) -> tuple[bool, str | None, int | None, bool | None]:
    """`[seller id, condition, 1 or 0]`; three empty texts: nobody."""
    if all(value == "" for value in values):
        return False, None, None, None
    seller, condition, is_fba = (_text(name, value) for name, value in zip(_HOLDER_TEXTS, values, strict=True))
    if not seller:
        raise ValueError("seller id is empty, and its condition is not")
    if not _CONDITION.fullmatch(condition):
        raise ValueError(f"condition is {condition[:40]!r}: a number is allowed")
    if is_fba not in ("0", "1"):
        raise ValueError(f"is_fba is {is_fba[:40]!r}: 0 and 1 are allowed")
    return True, seller, int(condition), is_fba == "1"


_HOLDER_TEXTS = ("seller id", "condition", "is_fba")
TEXT_HISTORIES = {
    "buy_box": _History("buyBoxSellerIdHistory", 2, _seller),
    "parent_asin": _History("parentAsinHistory", 2, _parent),
    "buy_box_used": _History("buyBoxUsedHistory", 4, _holder),
}


def _read(value: Any, table: str, history: _History, origin: Origin, pieces: Pieces) -> None:
    if value is None:
        return
    if not is_list(value):
        reason = f"{history.name} is not a list but {kind(value)}"
        pieces.reject_whole(table, origin, reason, {history.name: plain(value)})
        return
    items, width = as_list(value), history.width
    pieces.records_in[table] += -(-len(items) // width)
    if width == 2 and _is_sound(items):
        _add(table, list(map(int, items[::2])), items[1::2], origin, pieces)
        return
    minutes: list[int] = []
    values: list[Any] = []
    unknown: list[int] = []
    for start in range(0, len(items), width):
        point = items[start : start + width]
        try:
            values.append(_value(point, history))
            minutes.append(int(point[0]))
        except ValueError as error:
            pieces.reject(table, origin, str(error), {history.name: point})
            unknown += [int(point[0])] if _is_minute(point[0]) else [minute + 1 for minute in minutes[-1:]]
    pieces.unknown_since(table, origin, (), unknown)
    if values:
        _add(table, minutes, values, origin, pieces)


def _is_sound(items: list[Any]) -> bool:
    """Whether a history of pairs is sound as a whole: most are, and have thousands of points."""
    return len(items) % 2 == 0 and set(map(type, items)) == {str} and all(map(_MINUTE.fullmatch, items[::2]))


def _value(point: list[Any], history: _History) -> Any:
    if len(point) < history.width:
        raise ValueError("incomplete point")
    time = point[0]
    if not _is_minute(time):
        raise ValueError(f"time is {time[:40]!r}" if isinstance(time, str) else f"time is {kind(time)}")
    return history.read(point[1:])


def _add(table: str, minutes: Sequence[int], values: Sequence[Any], origin: Origin, pieces: Pieces) -> None:
    codes = np.array(list(map(pieces.interned[table].code, values)), dtype=np.int64)
    pieces.blocks[table].append(Block(origin, (), np.array(minutes, dtype=np.int64), (codes,)))


def _is_minute(value: Any) -> bool:
    return is_int(value) or (isinstance(value, str) and _MINUTE.fullmatch(value) is not None)


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{name} is not a text but {kind(value)}")
    return value
