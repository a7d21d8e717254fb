"""Every history of a product, from the day it is tracked to `GENERATED_UNTIL`.

Here: which histories there are. Not here: how each one moves (`market.py`, `ranks_and_reviews.py`), and what is sent
of it at some moment (`product_object.py`).

The histories are generated once, whole, from (seed, domain, ASIN) alone, and a response is the part of them up to a
moment. So tomorrow's response extends today's, in whatever order the days are requested.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache

import numpy as np

from vp_pipeline.sandbox.keepa.generated.catalogue import CatalogueEntry
from vp_pipeline.sandbox.keepa.generated.draws import DAY, Draws
from vp_pipeline.sandbox.keepa.generated.market import Market, open_market
from vp_pipeline.sandbox.keepa.generated.ranks_and_reviews import (
    coupons,
    extra_info_updates,
    monthly_sold,
    ranks,
    reviews,
)
from vp_pipeline.sandbox.keepa.generated.step_functions import Points, Texts
from vp_pipeline.sources.keepa.series import DOMAINS, SERIES_NAMES, keepa_minute

GENERATED_UNTIL = date(2036, 1, 1)


@dataclass(frozen=True)
class ProductHistories:
    """All histories of one product. `csv` is by price type; `ranks` by category id. The sellers are as in `Market`."""

    entry: CatalogueEntry
    tracking_since: int
    csv: Mapping[int, Points]
    ranks: Mapping[int, Points]
    monthly_sold: Points
    coupons: Points
    buy_box_sellers: Texts
    amazon_seller: str
    fba_sellers: frozenset[str]
    used_holders: Texts
    parents: Texts | None


@lru_cache(maxsize=64)
def histories_of(seed: int, entry: CatalogueEntry) -> ProductHistories:
    """The histories of one product, the same for the same arguments on every machine."""
    draws = Draws(seed, entry.domain, entry.asin)
    start, end = _tracking_since(draws.named("start"), entry), minute_of(GENERATED_UNTIL)
    market: Market = open_market(draws.named("market"), entry, DOMAINS[entry.domain].minor_digits, start, end)
    named = dict(market.series)
    by_category = ranks(draws.named("ranks"), entry, start, end)
    if not entry.sales_empty:
        named["SALES"] = by_category[entry.root[0]]
    if not entry.sparse:
        named["RATING"], named["COUNT_REVIEWS"] = reviews(draws.named("reviews"), entry, start, end)
        named["EXTRA_INFO_UPDATES"] = extra_info_updates(draws.named("offers"), named["COUNT_NEW"], end)
    return ProductHistories(
        entry=entry,
        tracking_since=start,
        csv={SERIES_NAMES.index(name): history for name, history in named.items()},
        ranks=by_category,
        monthly_sold=monthly_sold(draws.named("sold"), entry, start, end),
        coupons=coupons(draws.named("coupons"), start, end),
        buy_box_sellers=market.buy_box_sellers,
        amazon_seller=market.amazon_seller,
        fba_sellers=market.fba_sellers,
        used_holders=market.used_holders,
        parents=_parents(entry, start),
    )


def minute_of(day: date) -> int:
    """The Keepa minute at which a UTC day begins."""
    return keepa_minute(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def _tracking_since(draws: Draws, entry: CatalogueEntry) -> int:
    if entry.tracked_from:
        return minute_of(date.fromisoformat(entry.tracked_from)) + 2 * draws.between(0, DAY // 2 - 1)
    return minute_of(date(2023, 1, 1)) + 2 * draws.between(0, 700 * DAY // 2)


def _parents(entry: CatalogueEntry, start: int) -> Texts | None:
    if entry.parent is None:
        return None
    minutes = start + DAY * np.array([0, 41, 170], dtype=np.int64)
    return Texts(minutes, ((entry.parent,), ("-1",), (entry.parent,)))
