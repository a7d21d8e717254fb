"""The parts that every made-up answer shares: envelopes, and products with the fields that Keepa sends.

Here: shapes. Not here: the answers themselves (`answers.py`, `odd_answers.py`).

Everything in them is invented. ASINs begin with B0MADEUP; EANs with 2, the numbers that shops use among themselves.
"""

from typing import Any

from vp_pipeline_tests.recordings.figures import DAY, stats_of
from vp_pipeline_tests.recordings.histories import Flat

Json = dict[str, Any]
KEEPA_EPOCH = 21_564_000

# 2026-05-20T09:13:27.512Z, on purpose inside a minute.
NOW_MS = 1_779_268_407_512
NOW = NOW_MS // 60_000 - KEEPA_EPOCH
YEAR = 365 * DAY


def csv_of(length: int, **series: Flat | None) -> list[Flat | None]:
    """`csv` of so many price types, with the given ones: `csv_of(36, _1=[…])`."""
    given = {int(name[1:]): history for name, history in series.items()}
    return [given.get(index) for index in range(length)]


def envelope(*products: Json, at_ms: int = NOW_MS, tokens_left: int = 117, consumed: int = 1) -> Json:
    return {
        "timestamp": at_ms,
        "tokensLeft": tokens_left,
        "refillIn": 21_350,
        "refillRate": 20,
        "tokenFlowReduction": 0.0,
        "tokensConsumed": consumed,
        "processingTimeInMs": 3,
        "products": list(products),
    }


def product(asin: str, domain: int, title: str, csv: list[Flat | None] | None, **fields: Any) -> Json:
    """A product as Keepa writes it. Fields given replace those here; `lastUpdate` is 14 minutes before NOW."""
    return {
        "asin": asin,
        "domainId": domain,
        "productType": 0,
        "title": title,
        "brand": "Madeup & Sons",
        "manufacturer": "Madeup & Sons",
        "model": None,
        "color": "",
        "size": "2 Stück",
        "productGroup": "Kitchen",
        "parentAsin": None,
        "type": "MADE_UP_THING",
        "rootCategory": 900_000_100,
        "categories": [900_000_120],
        "categoryTree": [
            {"catId": 900_000_100, "name": "Invented Home & Kitchen"},
            {"catId": 900_000_110, "name": "Kettles > Parts"},
            {"catId": 900_000_120, "name": "Lids"},
        ],
        "trackingSince": NOW - 2 * YEAR,
        "listedSince": NOW - 3 * YEAR,
        "lastUpdate": NOW - 14,
        "lastPriceChange": NOW - 4000,
        "lastRatingUpdate": NOW - 14,
        "lastSoldUpdate": NOW - 14,
        "lastEbayUpdate": 0,
        "packageWeight": 410,
        "packageLength": 212,
        "packageWidth": 105,
        "packageHeight": -1,
        "packageQuantity": 1,
        "numberOfItems": 2,
        "isAdultProduct": False,
        "isEligibleForSuperSaverShipping": True,
        "isRedirectASIN": False,
        "hasReviews": True,
        "availabilityAmazon": -1,
        "eanList": ["2000000000015"],
        "upcList": None,
        "fbaFees": {"lastUpdate": NOW - 9000, "pickAndPackFee": 386},
        "referralFeePercent": 15,
        "referralFeePercentage": 14.99,
        "images": [{"l": "madeup1.jpg", "lH": 1500, "lW": 1500, "m": "madeup2.jpg", "mH": 500, "mW": 500}],
        "frequentlyBoughtTogether": None,
        "variations": None,
        "offers": None,
        "offersSuccessful": False,
        "csv": csv,
        "salesRanks": {},
        "salesRankReference": -1,
        "salesRankReferenceHistory": None,
        "monthlySoldHistory": None,
        "couponHistory": None,
        "buyBoxSellerIdHistory": None,
        "parentAsinHistory": None,
        "stats": None,
        **fields,
    }


def stats(csv: list[Flat | None], *, now: int = NOW, tracking_since: int = NOW - 2 * YEAR, interval: int = 180) -> Json:
    """Keepa's `stats` of whole histories, with what is beside the figures: flags, texts, lists and -2 (not asked)."""
    return {
        **stats_of(csv, now=now, tracking_since=tracking_since, interval=interval),
        "salesRankDrops30": 3,
        "salesRankDrops90": 11,
        "salesRankDrops180": 20,
        "salesRankDrops365": 41,
        "totalOfferCount": 4,
        "retrievedOfferCount": -2,
        "offerCountFBA": -2,
        "offerCountFBM": -2,
        "tradeInPrice": -2,
        "deltaPercent90_monthlySold": -8,
        "buyBoxPrice": 2199,
        "buyBoxShipping": 0,
        "buyBoxIsFBA": True,
        "buyBoxIsAmazon": False,
        "buyBoxIsPrimeExclusive": None,
        "buyBoxSellerId": "AMADEUPSELLER1",
        "buyBoxShippingTime": [0, 0],
        "buyBoxStats": {
            "AMADEUPSELLER1": {"avgPrice": 2210, "isFBA": True, "lastSeen": now - 14, "percentageWon": 61.5}
        },
        "lightningDealInfo": [now - 40_000, now - 39_000],
        "sellerIdsLowestFBA": None,
        "lastOffersUpdate": now - 14,
    }
