"""One product as Keepa shows it at a moment: the part of its histories up to then.

Here: cutting histories, and the fields of a product object. Not here: the envelope around it (`api.py`), and how
the histories are generated (`generated/`).
"""

from typing import Any

import numpy as np

from vp_pipeline.sandbox.keepa.generated.catalogue import BY_KEY, CatalogueEntry
from vp_pipeline.sandbox.keepa.generated.draws import DAY, Draws
from vp_pipeline.sandbox.keepa.generated.histories import ProductHistories, histories_of
from vp_pipeline.sandbox.keepa.generated.step_functions import Points, Texts
from vp_pipeline.sandbox.keepa.listing import buy_box, fees, quantities
from vp_pipeline.sandbox.keepa.lists import lists
from vp_pipeline.sandbox.keepa.request import ProductRequest
from vp_pipeline.sandbox.keepa.stats import product_stats
from vp_pipeline.sources.keepa.series import SERIES, SERIES_NAMES

INVALID = 4
_RATINGS = {SERIES_NAMES.index(name) for name in ("RATING", "COUNT_REVIEWS")}
# In real responses these come with the buy box, and are missing where it was not requested.
_WITH_BUY_BOX = {
    SERIES_NAMES.index(name) for name in ("EXTRA_INFO_UPDATES", "BUY_BOX_SHIPPING", "BUY_BOX_USED_SHIPPING")
}
_PRICES = [series.index for series in SERIES if series.kind == "price"]
_NEW, _COUNT_NEW, _BUY_BOX, _EXTRA_INFO = 1, 11, 18, 15

Json = dict[str, Any]


def product(seed: int, request: ProductRequest, asin: str, now: int) -> Json:
    """The product object of one ASIN at the Keepa minute `now`.

    An ASIN that is unknown, or not yet tracked at that moment, gets `productType` 4.
    Figures (`stats`) cover all the time until `now`, also where `days` cuts the histories that are sent.
    """
    entry = BY_KEY.get((request.domain, asin))
    generated = None if entry is None else histories_of(seed, entry)
    if generated is None or generated.tracking_since > now:
        return invalid(request.domain, asin)
    whole = _histories(generated, request, now)
    sent = _sent_histories(generated, request, now) if request.history else _no_history()
    identity = _identity(generated, seed)
    return {
        **identity,
        **fees(generated, identity["packageWeight"], now),
        **quantities(generated),
        **lists(seed, generated, _parent_now(generated, now)),
        "coupon": _coupon_now(generated, now),
        "availabilityAmazon": _amazon_now(generated, now),
        "lastUpdate": _last_update(generated, now),
        "lastPriceChange": max((_last(generated.csv[i], now) for i in _PRICES if i in generated.csv), default=0),
        "lastRatingUpdate": max((_last(generated.csv[i], now) for i in _RATINGS if i in generated.csv), default=0),
        "lastSoldUpdate": _last(generated.monthly_sold, now),
        "monthlySold": _value_now(generated.monthly_sold, now),
        "parentAsin": _parent_now(generated, now),
        **sent,
        "stats": None if request.stats is None else _stats(generated, request.stats, whole, now),
    }


def invalid(domain: int, asin: str) -> Json:
    """What Keepa sends for an unknown ASIN."""
    return {
        "productType": INVALID, "asin": asin, "domainId": domain, "title": None, "csv": None, "stats": None,
        "trackingSince": 0, "lastUpdate": 0, "lastPriceChange": 0, "salesRanks": None, "categories": None,
        "categoryTree": None, "rootCategory": 0, "parentAsin": None,
    }  # fmt: skip


def _histories(generated: ProductHistories, request: ProductRequest, now: int) -> list[list[int] | None]:
    """All of `csv` until `now` as requested, whatever `days` is."""
    return [_flat(_until(generated.csv.get(index), now)) for index in _slots(generated, request)]


def _slots(generated: ProductHistories, request: ProductRequest) -> list[int]:
    """The price types of the response in order; -1 for one that is left out because it was not requested."""
    left_out = set() if request.rating else set(_RATINGS)
    if not (request.buybox or request.offers):
        left_out |= _WITH_BUY_BOX
    return [-1 if index in left_out else index for index in range(generated.entry.slots)]


def _sent_histories(generated: ProductHistories, request: ProductRequest, now: int) -> Json:
    start = None if request.days is None else now - request.days * DAY
    ranks = {str(category): _flat(_until(h, now, start)) for category, h in generated.ranks.items()}
    root_rank = _until(generated.ranks[generated.entry.root[0]], now)
    box = request.buybox or request.offers
    return {
        "csv": [_flat(_until(generated.csv.get(index), now, start)) for index in _slots(generated, request)],
        "salesRanks": {category: flat for category, flat in ranks.items() if flat} or None,
        "salesRankReferenceHistory": [int(root_rank[0, 0]), generated.entry.root[0]] if len(root_rank) else None,
        "monthlySoldHistory": _flat(_until(generated.monthly_sold, now, start)),
        "couponHistory": _flat(_until(generated.coupons, now, start)),
        "buyBoxSellerIdHistory": _texts(generated.buy_box_sellers, now, start) if box else None,
        "buyBoxUsedHistory": _texts(generated.used_holders, now, start) if box else None,
        "parentAsinHistory": _texts(generated.parents, now, start),
    }


def _no_history() -> Json:
    names = ("csv", "salesRanks", "salesRankReferenceHistory", "monthlySoldHistory", "couponHistory")
    return dict.fromkeys((*names, "buyBoxSellerIdHistory", "buyBoxUsedHistory", "parentAsinHistory"))


def _until(history: Points | None, now: int, start: int | None = None) -> Points:
    """The points up to `now`, from the one in force at `start`."""
    if history is None:
        return np.zeros((0, 2), dtype=np.int64)
    return history[_from(history[:, 0], start) : np.searchsorted(history[:, 0], now, side="right")]


def _from(minutes: Points, start: int | None) -> int:
    return 0 if start is None else max(int(np.searchsorted(minutes, start, side="right")) - 1, 0)


def _flat(history: Points) -> list[int] | None:
    flat: list[int] = history.ravel().tolist()
    return flat or None


def _texts(history: Texts | None, now: int, start: int | None) -> list[str] | None:
    if history is None:
        return None
    first = _from(history.minutes, start)
    last = int(np.searchsorted(history.minutes, now, side="right"))
    minutes = history.minutes[first:last].tolist()
    points = zip(map(str, minutes), history.values[first:last], strict=True)
    return [text for minute, values in points for text in (minute, *values)] or None


def _last(history: Points, now: int) -> int:
    known = _until(history, now)
    return int(known[-1, 0]) if len(known) else 0


def _value_now(history: Points, now: int) -> int:
    known = _until(history, now)
    return int(known[-1, 1]) if len(known) else -1


def _last_update(generated: ProductHistories, now: int) -> int:
    """When Keepa last updated the product: the newest point of any history."""
    histories = (*generated.csv.values(), *generated.ranks.values(), generated.monthly_sold)
    return max(generated.tracking_since, *(_last(history, now) for history in histories))


def _amazon_now(generated: ProductHistories, now: int) -> int:
    """0: Amazon has it in stock; -1: it has no offer."""
    return 0 if _value_now(generated.csv[0], now) >= 0 else -1


def _coupon_now(generated: ProductHistories, now: int) -> list[int] | None:
    """[one-time, subscribe-and-save]; null where there is none of either."""
    known = _until(generated.coupons, now)
    coupon: list[int] = known[-1, 1:].tolist() if len(known) else []
    return coupon if any(coupon) else None


def _parent_now(generated: ProductHistories, now: int) -> str | None:
    known = _texts(generated.parents, now, None)
    return None if known is None or known[-1] == "-1" else known[-1]


def _stats(generated: ProductHistories, days: int, whole: list[list[int] | None], now: int) -> Json:
    figures = product_stats(whole, now=now, tracking_since=generated.tracking_since, days=days)
    box, offers, refreshes = whole[_BUY_BOX], whole[_COUNT_NEW], whole[_EXTRA_INFO]
    sellers = _texts(generated.buy_box_sellers, now, None) if box else None
    return {
        **figures,
        **buy_box(generated, box, sellers[-1] if sellers else None),
        "buyBoxPrice": box[-2] if box else -2,
        "buyBoxShipping": box[-1] if box else -2,
        "lastBuyBoxUpdate": _last_update(generated, now) if box else None,
        "lastOffersUpdate": refreshes[-2] if refreshes else 0,
        "totalOfferCount": max(offers[-1], 0) if offers else 0,
        "retrievedOfferCount": -2,
        "offerCountFBA": -2,
        "offerCountFBM": -2,
        "tradeInPrice": -2,
        "lightningDealInfo": None,
        "sellerIdsLowestFBA": None,
        "sellerIdsLowestFBM": None,
    }


def _identity(generated: ProductHistories, seed: int) -> Json:
    """What does not change: names, categories, sizes."""
    entry: CatalogueEntry = generated.entry
    draws = Draws(seed, entry.domain, entry.asin, "box")
    length, width, height = sorted((draws.between(60, 420) for _ in range(3)), reverse=True)
    tree = [{"catId": number, "name": name} for number, name in (entry.root, entry.leaf)]
    return {
        "productType": 0, "asin": entry.asin, "domainId": entry.domain, "title": entry.title,
        "brand": entry.brand, "manufacturer": entry.brand, "model": f"{entry.brand[:2].upper()}-{entry.asin[-2:]}",
        "color": entry.color, "size": entry.size, "productGroup": entry.group, "author": None, "binding": None,
        "rootCategory": entry.root[0], "categories": [entry.leaf[0]], "categoryTree": tree,
        "salesRankReference": -1 if entry.sales_empty else entry.root[0],
        "trackingSince": generated.tracking_since,
        "listedSince": 2 * ((generated.tracking_since - draws.between(0, 60 * DAY)) // 2),
        "packageWeight": draws.between(80, 2600), "packageLength": length, "packageWidth": width,
        "packageHeight": height, "isAdultProduct": False, "isSNS": entry.group == "Beauty",
        "isEligibleForSuperSaverShipping": True,
        "hasReviews": not entry.sparse, "offersSuccessful": False, "liveOffersOrder": None,
        "releaseDate": 0, "publicationDate": 0, "lastEbayUpdate": 0,
    }  # fmt: skip
