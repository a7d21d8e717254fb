"""The histories of a product: `csv`, `salesRanks` and their reference, `buyBoxSellerIdHistory`, `monthlySoldHistory`.

Here: which array is a history of which table. Not here: whether a point keeps the contract (`assemble.py`).
"""

import re
from typing import Any, NamedTuple

import numpy as np

from vp_pipeline.sources.keepa.decoding.numbers import (
    Ints,
    JsonObject,
    as_list,
    is_int,
    is_list,
    is_object,
    kind,
    plain,
    points,
)
from vp_pipeline.sources.keepa.decoding.pieces import Block, Origin, Pieces
from vp_pipeline.sources.keepa.series import SERIES


class Target(NamedTuple):
    """What an array is a history of: its table, its name, the length of a point, and the key of its block."""

    table: str
    name: str
    width: int
    key: tuple[str | int, ...] = ()


_PAIRS = (
    Target("monthly_sold", "monthlySoldHistory", 2),
    Target("rank_reference", "salesRankReferenceHistory", 2),
)
_CATEGORY_ID = re.compile(r"-?[0-9]{1,18}")
_MINUTE = re.compile(r"-?[0-9]{1,15}")


def read_histories(product: JsonObject, origin: Origin, flat: bool, pieces: Pieces) -> None:
    """Collect every history of a product whose header is valid."""
    csv = product.get("csv")
    if is_list(csv):
        # By index: iterating a simdjson array would turn every history into a list of Python objects.
        for index in range(len(csv)):
            history = csv[index]
            if history is not None:
                _read_csv(index, history, origin, flat, pieces)
    ranks = product.get("salesRanks")
    if is_object(ranks):
        for category in list(ranks.keys()):
            if not _CATEGORY_ID.fullmatch(category):
                reason = f"category is {category[:40]!r}: a number is allowed"
                pieces.reject_whole("rank", origin, reason, {"salesRanks": category})
            else:
                target = Target("rank", f"salesRanks[{category}]", 2, ("CATEGORY", int(category)))
                _read_points(ranks[category], target, origin, flat, pieces)
    elif ranks is not None:
        reason = f"salesRanks is not an object but {kind(ranks)}"
        pieces.reject_whole("rank", origin, reason, ranks)
    for target in _PAIRS:
        _read_points(product.get(target.name), target, origin, flat, pieces)
    _read_sellers(product.get("buyBoxSellerIdHistory"), origin, pieces)


def _read_csv(index: int, history: Any, origin: Origin, flat: bool, pieces: Pieces) -> None:
    if index >= len(SERIES):
        pieces.reject_whole("price", origin, f"unknown series {index}", history)
        return
    series = SERIES[index]
    key = (series.name, 0) if series.kind == "rank" else (series.name,)
    target = Target(series.kind, series.name, 3 if series.with_shipping else 2, key)
    _read_points(history, target, origin, flat, pieces)


def _read_points(history: Any, target: Target, origin: Origin, flat: bool, pieces: Pieces) -> None:
    if history is None:
        return
    table, name, width, key = target
    if not is_list(history):
        pieces.reject_whole(table, origin, f"{name} is not a list but {kind(history)}", {name: plain(history)})
        return
    pieces.records_in[table] += -(-len(history) // width)
    valid, broken = points(history, width, flat)
    for reason, piece, _ in broken:
        pieces.reject(table, origin, reason, {name: piece})
    pieces.unknown_since(table, origin, key, [point.since for point in broken if point.since is not None])
    if len(valid):
        columns: list[Ints] = [valid[:, i] for i in range(width)]
        if table == "price" and width == 2:
            columns.append(np.zeros(len(valid), dtype=np.int64))
        pieces.blocks[table].append(Block(origin, key, columns[0], tuple(columns[1:])))


def _read_sellers(history: Any, origin: Origin, pieces: Pieces) -> None:
    """`[t, seller id, …]`, all texts: the one history that is not of numbers. A number for `t` is fine too."""
    if history is None:
        return
    name = "buyBoxSellerIdHistory"
    if not is_list(history):
        reason = f"{name} is not a list but {kind(history)}"
        pieces.reject_whole("buy_box", origin, reason, {name: plain(history)})
        return
    items = as_list(history)
    pieces.records_in["buy_box"] += -(-len(history) // 2)
    if len(items) % 2 == 0 and set(map(type, items)) == {str} and all(map(_MINUTE.fullmatch, items[::2])):
        _add_sellers(list(map(int, items[::2])), items[1::2], origin, pieces)
        return
    valid: list[tuple[int, str]] = []
    unknown: list[int] = []
    for start in range(0, len(items), 2):
        point = items[start : start + 2]
        problem = _seller_problem(point)
        if problem:
            pieces.reject("buy_box", origin, problem, {name: point})
            unknown += [int(point[0])] if _is_minute(point[0]) else [time + 1 for time, _ in valid[-1:]]
        else:
            valid.append((int(point[0]), point[1]))
    pieces.unknown_since("buy_box", origin, (), unknown)
    if valid:
        _add_sellers([time for time, _ in valid], [seller for _, seller in valid], origin, pieces)


def _add_sellers(minutes: list[int], sellers: list[str], origin: Origin, pieces: Pieces) -> None:
    codes = np.array(list(map(pieces.interned["buy_box"].code, sellers)), dtype=np.int64)
    at = np.array(minutes, dtype=np.int64)
    pieces.blocks["buy_box"].append(Block(origin, (), at, (codes,)))


def _is_minute(value: Any) -> bool:
    return is_int(value) or (isinstance(value, str) and _MINUTE.fullmatch(value) is not None)


def _seller_problem(point: list[Any]) -> str | None:
    if len(point) < 2:
        return "incomplete point"
    time, seller = point
    if not _is_minute(time):
        return f"time is {time[:40]!r}" if isinstance(time, str) else f"time is {kind(time)}"
    return None if isinstance(seller, str) else f"seller id is not a text but {kind(seller)}"
