"""The histories of a product that are numbers: `csv`, `salesRanks` and their reference, coupons, monthly sales.

Here: which array is a history of which table. Not here: histories of texts (`text_histories.py`), and whether a point
keeps the contract (`assemble.py`).
"""

import re
from typing import Any, NamedTuple

import numpy as np

from vp_pipeline.sources.keepa.decoding.numbers import (
    Ints,
    JsonObject,
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


_ALONE = (
    Target("monthly_sold", "monthlySoldHistory", 2),
    Target("rank_reference", "salesRankReferenceHistory", 2),
    Target("coupon", "couponHistory", 3),
)
_CATEGORY_ID = re.compile(r"-?[0-9]{1,18}")


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
    for target in _ALONE:
        _read_points(product.get(target.name), target, origin, flat, pieces)


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
