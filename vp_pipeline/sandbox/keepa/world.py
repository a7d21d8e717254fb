"""The sandbox's world: every history of every product, from its first look to the end of the world.

Here: how prices, ranks, reviews and sellers move. Not here: what is seen of it at some moment (`answer.py`).

A world is made once, whole, from (seed, domain, ASIN) alone, and an answer is the part of it up to a moment.
So the answer of tomorrow is the answer of today and more, in whatever order the days are asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache

import numpy as np

from vp_pipeline.sandbox.keepa.chance import DAY, Dice
from vp_pipeline.sandbox.keepa.market import Market, open_market
from vp_pipeline.sandbox.keepa.opinion import coupons, extra_info_updates, monthly_sold, ranks, reviews
from vp_pipeline.sandbox.keepa.products import Card
from vp_pipeline.sandbox.keepa.steps import Points, Texts
from vp_pipeline.sources.keepa.series import DOMAINS, SERIES_NAMES, keepa_minute

WORLD_END = date(2036, 1, 1)


@dataclass(frozen=True)
class World:
    """All histories of one product. `csv` is by price type; `ranks` by category id."""

    card: Card
    tracking_since: int
    csv: Mapping[int, Points]
    ranks: Mapping[int, Points]
    monthly_sold: Points
    coupons: Points
    buy_box_sellers: Texts
    parents: Texts | None


@lru_cache(maxsize=64)
def world_of(seed: int, card: Card) -> World:
    """The world of one product, the same for the same arguments on every machine."""
    dice = Dice(seed, card.domain, card.asin)
    start, end = _first_look(dice.named("start"), card), minute_of(WORLD_END)
    market: Market = open_market(dice.named("market"), card, DOMAINS[card.domain].minor_digits, start, end)
    named = dict(market.series)
    by_category = ranks(dice.named("ranks"), card, start, end)
    if not card.sales_empty:
        named["SALES"] = by_category[card.root[0]]
    if not card.sparse:
        named["RATING"], named["COUNT_REVIEWS"] = reviews(dice.named("reviews"), card, start, end)
        named["EXTRA_INFO_UPDATES"] = extra_info_updates(dice.named("offers"), named["COUNT_NEW"], end)
    return World(
        card=card,
        tracking_since=start,
        csv={SERIES_NAMES.index(name): history for name, history in named.items()},
        ranks=by_category,
        monthly_sold=monthly_sold(dice.named("sold"), card, start, end),
        coupons=coupons(dice.named("coupons"), start, end),
        buy_box_sellers=market.buy_box_sellers,
        parents=_parents(card, start),
    )


def minute_of(day: date) -> int:
    """The Keepa minute at which a UTC day begins."""
    return keepa_minute(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def _first_look(dice: Dice, card: Card) -> int:
    if card.tracked_from:
        return minute_of(date.fromisoformat(card.tracked_from)) + 2 * dice.between(0, DAY // 2 - 1)
    return minute_of(date(2023, 1, 1)) + 2 * dice.between(0, 700 * DAY // 2)


def _parents(card: Card, start: int) -> Texts | None:
    if card.parent is None:
        return None
    minutes = start + DAY * np.array([0, 41, 170], dtype=np.int64)
    return Texts(minutes, (card.parent, "-1", card.parent))
