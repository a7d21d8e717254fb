"""Keepa's own figures (`stats`), long form.

Here: which entries of `stats` are figures. A figure is an array with one element per series (`current`, `avg30`, …),
such an array of extremes (`min`, …: `[Keepa minute, value]` per element), or an integer of the whole product
(`salesRankDrops30`, …). Booleans, texts, and lists of another meaning (`buyBoxShippingTime`, `isLowest`, …) are not
figures. Null elements are not records, and beyond the known series -1 is not either: every product has it there from
the day on which Keepa adds a series.
"""

import re
from functools import lru_cache
from typing import Any

import numpy as np

from vp_pipeline.sources.keepa.decoding.lines import LATEST_US
from vp_pipeline.sources.keepa.decoding.numbers import (
    Ints,
    JsonList,
    as_list,
    integers,
    is_int,
    is_list,
    is_object,
    kind,
    not_an_integer,
    plain,
)
from vp_pipeline.sources.keepa.decoding.pieces import Block, Origin, Pieces
from vp_pipeline.sources.keepa.series import KEEPA_EPOCH_MINUTES, SERIES_NAMES

# Sorted, so that a code sorts as its text does.
STAT_SERIES = tuple(sorted((*SERIES_NAMES, "PRODUCT")))
_CODES = {name: code for code, name in enumerate(STAT_SERIES)}
_PRODUCT = np.array([_CODES["PRODUCT"]], dtype=np.int64)
_NO_TIME = np.array([-1], dtype=np.int64)
_EXTREMES = re.compile(r"(min|max)(InInterval)?")
_PER_SERIES = re.compile(r"current|atIntervalStart|avg[0-9]*|outOfStockPercentage([0-9]+|InInterval)")
# Figures of the whole product that Keepa's client declares as integers: of another type they are unreadable, not
# something else.
_OF_PRODUCT = re.compile(
    r"salesRankDrops[0-9]+|(retrieved|total)OfferCount|offerCount(FBA|FBM)|outOfStockCountAmazon[0-9]+"
    r"|buyBox(Price|Shipping|SavingBasis|SavingPercentage)|tradeInPrice|deltaPercent[0-9]+_monthlySold"
)
_LATEST_MINUTE = LATEST_US // 60_000_000 - KEEPA_EPOCH_MINUTES


def read_stats(stats: Any, origin: Origin, flat: bool, pieces: Pieces) -> None:
    """Collect every figure of a product."""
    if stats is None:
        return
    if not is_object(stats):
        pieces.reject_whole("stats", origin, f"stats is not an object but {kind(stats)}", {"stats": plain(stats)})
        return
    beyond: dict[str, list[Any]] = {}
    for name in list(stats.keys()):
        value = stats[name]
        extreme = _EXTREMES.fullmatch(name) is not None
        if extreme or _PER_SERIES.fullmatch(name):
            if is_list(value):
                beyond[name] = _read_figures(name, value, extreme, origin, flat, pieces)
            elif value is not None:
                reason = f"{name} is not a list but {kind(value)}"
                pieces.reject_whole("stats", origin, reason, {name: plain(value)})
        elif type(value) in (int, float) or (value is not None and _OF_PRODUCT.fullmatch(name)):
            _read_product_figure(name, value, origin, pieces)
    unknown = {name: elements for name, elements in beyond.items() if elements}
    if unknown:
        last = len(SERIES_NAMES) - 1
        pieces.reject_whole("stats", origin, f"figures of unknown series, beyond {last}", unknown)


def _read_product_figure(name: str, value: Any, origin: Origin, pieces: Pieces) -> None:
    pieces.records_in["stats"] += 1
    if is_int(value):
        figure = np.array([value], dtype=np.int64)
        pieces.blocks["stats"].append(Block(origin, (name,), _PRODUCT, (figure, _NO_TIME)))
    else:
        pieces.reject("stats", origin, f"value {not_an_integer(value)}", {name: plain(value)})


def _read_figures(name: str, values: JsonList, extreme: bool, origin: Origin, flat: bool, pieces: Pieces) -> list[Any]:
    """Collect the figures of the known series. Returns the elements beyond them that are neither null nor -1."""
    numbers = None if extreme or len(values) > len(SERIES_NAMES) else integers(values, flat)
    if numbers is not None:
        pieces.records_in["stats"] += len(values)
        order, codes, no_times = _by_name(len(numbers))
        pieces.blocks["stats"].append(Block(origin, (name,), codes, (numbers[order], no_times)))
        return []
    items = as_list(values)
    known = items[: len(SERIES_NAMES)]
    pieces.records_in["stats"] += sum(item is not None for item in known)
    figures: list[tuple[int, int, int]] = []
    for series, item in zip(SERIES_NAMES, known, strict=False):
        if item is None:
            continue
        reason, time, value = _figure(item, extreme)
        if reason:
            pieces.reject("stats", origin, reason, {name: item, "series": series})
        else:
            figures.append((_CODES[series], value, time))
    if figures:
        codes, sound, times = np.array(sorted(figures), dtype=np.int64).T
        pieces.blocks["stats"].append(Block(origin, (name,), codes, (sound, times)))
    return [item for item in items[len(SERIES_NAMES) :] if item is not None and item != -1]


def _figure(item: Any, extreme: bool) -> tuple[str | None, int, int]:
    """(reason or None, Keepa minute or -1, value) of one element."""
    time, value = item if extreme and isinstance(item, list) and len(item) == 2 else (-1, item)
    if not is_int(value):
        return f"value {not_an_integer(value)}", -1, -1
    if not is_int(time) or not -1 <= time < _LATEST_MINUTE:
        return f"time is {time!r}: Keepa minutes from 0 (2011) to {_LATEST_MINUTE - 1} (2099) are allowed", -1, -1
    return None, time if time > 0 else -1, value


@lru_cache(maxsize=len(SERIES_NAMES) + 1)
def _by_name(count: int) -> tuple[Ints, Ints, Ints]:
    """The order of the first `count` series by name, their codes in that order, and no time for each."""
    codes = np.array([_CODES[name] for name in SERIES_NAMES[:count]], dtype=np.int64)
    order = np.argsort(codes)
    return order, codes[order], np.full(count, -1, dtype=np.int64)
