"""One product as Keepa shows it at a moment: the part of its world up to then.

Here: cutting histories, and the fields of a product object. Not here: the envelope around it (`api.py`), nor
what happens in the world (`world.py`).
"""

import numpy as np

from vp_pipeline.sandbox.keepa.chance import DAY, Dice
from vp_pipeline.sandbox.keepa.products import BY_KEY, Card
from vp_pipeline.sandbox.keepa.request import ProductRequest
from vp_pipeline.sandbox.keepa.stats import product_stats
from vp_pipeline.sandbox.keepa.steps import Points, Texts
from vp_pipeline.sandbox.keepa.world import World, world_of
from vp_pipeline.sources.keepa.series import SERIES, SERIES_NAMES

INVALID = 4
_RATINGS = {SERIES_NAMES.index(name) for name in ("RATING", "COUNT_REVIEWS")}
# In the real answers these come with the buy box, and are missing where it was not asked for.
_WITH_BUY_BOX = {
    SERIES_NAMES.index(name) for name in ("EXTRA_INFO_UPDATES", "BUY_BOX_SHIPPING", "BUY_BOX_USED_SHIPPING")
}
_PRICES = [series.index for series in SERIES if series.kind == "price"]
_NEW, _COUNT_NEW, _BUY_BOX, _EXTRA_INFO = 1, 11, 18, 15

Json = dict[str, object]


def product(seed: int, request: ProductRequest, asin: str, now: int) -> Json:
    """The product object that answers for one ASIN at the Keepa minute `now`.

    An ASIN that is not known, or not yet at that moment, is answered with `productType` 4.
    Figures (`stats`) are of all the time until `now`, also where `days` cuts the histories that are shown.
    """
    card = BY_KEY.get((request.domain, asin))
    world = None if card is None else world_of(seed, card)
    if world is None or world.tracking_since > now:
        return invalid(request.domain, asin)
    whole = _histories(world, request, now)
    looked = _last_look(world, now)
    sent = _shown(world, request, now) if request.history else _no_history()
    return {
        **_identity(world, seed),
        "lastUpdate": looked,
        "lastPriceChange": max((_last(world.csv[i], now) for i in _PRICES if i in world.csv), default=0),
        "lastRatingUpdate": max((_last(world.csv[i], now) for i in _RATINGS if i in world.csv), default=0),
        "lastSoldUpdate": _last(world.monthly_sold, now),
        "monthlySold": _value_now(world.monthly_sold, now),
        "parentAsin": _parent_now(world, now),
        **sent,
        "stats": None if request.stats is None else _stats(world, request, request.stats, whole, now),
    }


def invalid(domain: int, asin: str) -> Json:
    """What Keepa sends for an ASIN that it does not know."""
    return {
        "productType": INVALID, "asin": asin, "domainId": domain, "title": None, "csv": None, "stats": None,
        "trackingSince": 0, "lastUpdate": 0, "lastPriceChange": 0, "salesRanks": None, "categories": None,
        "categoryTree": None, "rootCategory": 0, "parentAsin": None,
    }  # fmt: skip


def _histories(world: World, request: ProductRequest, now: int) -> list[list[int] | None]:
    """All of `csv` until `now` as asked for, whatever `days` is."""
    return [_flat(_until(world.csv.get(index), now)) for index in _slots(world, request)]


def _slots(world: World, request: ProductRequest) -> list[int]:
    """The price types of the answer in order; -1 for one that is hidden because it was not asked for."""
    hidden = set() if request.rating else set(_RATINGS)
    if not (request.buybox or request.offers):
        hidden |= _WITH_BUY_BOX
    return [-1 if index in hidden else index for index in range(world.card.slots)]


def _shown(world: World, request: ProductRequest, now: int) -> Json:
    start = None if request.days is None else now - request.days * DAY
    ranks = {str(category): _flat(_until(h, now, start)) for category, h in world.ranks.items()}
    root_rank = _until(world.ranks[world.card.root[0]], now)
    box = request.buybox or request.offers
    return {
        "csv": [_flat(_until(world.csv.get(index), now, start)) for index in _slots(world, request)],
        "salesRanks": {category: flat for category, flat in ranks.items() if flat} or None,
        "salesRankReferenceHistory": [int(root_rank[0, 0]), world.card.root[0]] if len(root_rank) else None,
        "monthlySoldHistory": _flat(_until(world.monthly_sold, now, start)),
        "couponHistory": _flat(_until(world.coupons, now, start)),
        "buyBoxSellerIdHistory": _texts(world.buy_box_sellers, now, start) if box else None,
        "parentAsinHistory": _texts(world.parents, now, start),
    }


def _no_history() -> Json:
    names = ("csv", "salesRanks", "salesRankReferenceHistory", "monthlySoldHistory", "couponHistory")
    return dict.fromkeys((*names, "buyBoxSellerIdHistory", "parentAsinHistory"))


def _until(history: Points | None, now: int, start: int | None = None) -> Points:
    """The points up to `now`, from the one in force at `start` on."""
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
    pairs = zip(map(str, minutes), history.values[first:last], strict=True)
    return [text for pair in pairs for text in pair] or None


def _last(history: Points, now: int) -> int:
    known = _until(history, now)
    return int(known[-1, 0]) if len(known) else 0


def _value_now(history: Points, now: int) -> int:
    known = _until(history, now)
    return int(known[-1, 1]) if len(known) else -1


def _last_look(world: World, now: int) -> int:
    """Keepa's last look: the newest point of anything."""
    histories = (*world.csv.values(), *world.ranks.values(), world.monthly_sold)
    return max(world.tracking_since, *(_last(history, now) for history in histories))


def _parent_now(world: World, now: int) -> str | None:
    known = _texts(world.parents, now, None)
    return None if known is None or known[-1] == "-1" else known[-1]


def _stats(world: World, request: ProductRequest, days: int, whole: list[list[int] | None], now: int) -> Json:
    figures = product_stats(whole, now=now, tracking_since=world.tracking_since, days=days)
    box, offers, looks = whole[_BUY_BOX], whole[_COUNT_NEW], whole[_EXTRA_INFO]
    sellers = _texts(world.buy_box_sellers, now, None) if box else None
    seller = sellers[-1] if sellers and not sellers[-1].startswith("-") else None
    return {
        **figures,
        "buyBoxPrice": box[-2] if box else -2,
        "buyBoxShipping": box[-1] if box else -2,
        "buyBoxSellerId": seller,
        "buyBoxIsUnqualified": None if not sellers else sellers[-1] == "-1",
        "lastBuyBoxUpdate": _last_look(world, now) if box else None,
        "lastOffersUpdate": looks[-2] if looks else 0,
        "totalOfferCount": max(offers[-1], 0) if offers else 0,
        "retrievedOfferCount": -2,
        "offerCountFBA": -2,
        "offerCountFBM": -2,
        "tradeInPrice": -2,
        "lightningDealInfo": None,
        "sellerIdsLowestFBA": None,
        "sellerIdsLowestFBM": None,
    }


def _identity(world: World, seed: int) -> Json:
    """What does not change: names, categories, sizes."""
    card: Card = world.card
    dice = Dice(seed, card.domain, card.asin, "box")
    length, width, height = sorted((dice.between(60, 420) for _ in range(3)), reverse=True)
    tree = [{"catId": number, "name": name} for number, name in (card.root, card.leaf)]
    return {
        "productType": 0, "asin": card.asin, "domainId": card.domain, "title": card.title,
        "brand": card.brand, "manufacturer": card.brand, "model": f"{card.brand[:2].upper()}-{card.asin[-2:]}",
        "color": card.color, "size": card.size, "productGroup": card.group, "author": None, "binding": None,
        "rootCategory": card.root[0], "categories": [card.leaf[0]], "categoryTree": tree,
        "salesRankReference": -1 if card.sales_empty else card.root[0],
        "trackingSince": world.tracking_since,
        "listedSince": 2 * ((world.tracking_since - dice.between(0, 60 * DAY)) // 2),
        "packageWeight": dice.between(80, 2600), "packageLength": length, "packageWidth": width,
        "packageHeight": height, "packageQuantity": 1, "numberOfItems": 1, "isAdultProduct": False,
        "isEligibleForSuperSaverShipping": True, "availabilityAmazon": 0 if card.amazon else -1,
        "hasReviews": not card.sparse, "offersSuccessful": False, "liveOffersOrder": None, "variations": None,
        "releaseDate": 0, "publicationDate": 0, "eanList": None, "upcList": None, "lastEbayUpdate": 0,
    }  # fmt: skip
