"""Counts over Keepa's responses as they landed: what they cost, of which products they are, which fields are unknown.

Here: names of fields, and of which product and moment a response is. Not here: other values (`decode.py`), and why a
line is not a response (there too).
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from vp_pipeline.sources.envelope import alterations
from vp_pipeline.sources.keepa.requests import products_of
from vp_pipeline.sources.keepa.series import NOT_A_PRODUCT, SERIES
from vp_pipeline.sources.landed import Inspection, LandedLine, Received

# The year 2100: later moments are damage.
_LATEST_MS = 4_102_444_800_000

# Every field of a product in Keepa's published client and in the recorded responses, decoded or not.
PRODUCT_FIELDS = frozenset(
    """
    aPlus activeIngredients asin author availabilityAmazon availabilityAmazonDelay batteriesIncluded batteriesRequired
    binding brand brandStoreName brandStoreUrl brandStoreUrlName businessDiscount buyBoxEligibleOfferCounts
    buyBoxSellerIdHistory buyBoxUsedHistory categories categoryTree color competitivePriceThreshold contributors coupon
    couponHistory csv data deals description domainId eanList ebayListingIds edition fbaFees features format formats
    frequentlyBoughtTogether g gtinList hasMainVideo hasReviews hazardousMaterials historicalVariations images imagesCSV
    includedComponents ingredients isAdultProduct isB2B isEligibleForSuperSaverShipping isEligibleForTradeIn
    isHeatSensitive isMerchOnDemand isRedirectASIN isSNS itemForm itemHeight itemLength itemTypeKeyword itemWeight
    itemWidth languages lastEbayUpdate lastPriceChange lastRatingUpdate lastSoldUpdate lastStockUpdate lastUpdate
    launchpad listedSince liveOffersOrder manufacturer material model monthlySold monthlySoldHistory newPriceIsMAP
    numberOfItems numberOfPages offers offersSuccessful packageHeight packageLength packageQuantity packageWeight
    packageWidth parentAsin parentAsinHistory parentTitle partNumber pattern primeDealEndTime productBenefit
    productGroup productType promotions publicationDate recommendedUsesForProduct referralFeePercent
    referralFeePercentage releaseDate rentalDetails rentalPrices rentalSellerId returnRate reviews rootCategory
    safetyWarning salesRankDisplayGroup salesRankReference salesRankReferenceHistory salesRanks scent shortDescription
    size specialFeatures specialIngredients stats style targetAudience targetAudienceKeyword title trackingSince type
    unitCount upcList urlSlug variationAttributes variationCSV variations videos websiteDisplayGroup
    websiteDisplayGroupName
    """.split()  # noqa: SIM905  a hundred names in quotes would be unreadable
)


def inspect(lines: Iterable[LandedLine]) -> Inspection:
    """The cost of landed lines (`tokens_consumed`, and `tokens_left` of the newest), the products that they are of, the
    unknown fields of products, histories beyond the known series, and how many records Airbyte changed.

    A line that is not a response counts as a record and nothing else; the decoder reports what is wrong with it.
    """
    records = altered = consumed = 0
    newest = (0, 0)
    unexpected: Counter[str] = Counter()
    received: list[Received] = []
    for line in lines:
        records += 1
        record = _object(line)
        response = _object_of(record, "_airbyte_data")
        altered += bool(alterations(record.get("_airbyte_meta")))
        consumed += _number(response, "tokensConsumed")
        newest = max(newest, (_number(response, "timestamp"), _number(response, "tokensLeft")))
        listed = response.get("products")
        products = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
        for product in products:
            unexpected.update(_unexpected(product))
        received += _received(response, products)
    figures = {"tokens_consumed": consumed, "tokens_left": newest[1]}
    return Inspection(records, altered, dict(unexpected), figures, tuple(received))


def _received(response: Mapping[str, Any], products: Iterable[Mapping[str, Any]]) -> Iterable[Received]:
    requested, timestamp = response.get("requested"), _number(response, "timestamp")
    asked = products_of(requested) if isinstance(requested, str) else ()
    at = datetime.fromtimestamp(timestamp / 1000, UTC) if 0 < timestamp < _LATEST_MS else None
    error = response.get("error")
    if error is not None:
        words = [error.get("type"), error.get("message")] if isinstance(error, dict) else [error]
        reason = ", ".join(str(word) for word in words if word) or "no reason given"
        yield from (Received(None, each, at, reason) for each in asked or (None,))
        return
    for product in products:
        product_type = product.get("productType")
        refusal = NOT_A_PRODUCT.get(product_type) if isinstance(product_type, int) else None
        domain, asin = product.get("domainId"), product.get("asin")
        entity = f"{domain}:{asin}" if isinstance(domain, int) and isinstance(asin, str) else None
        yield Received(entity, _request_of(entity, requested, asked), at, refusal)


def _request_of(entity: str | None, requested: str | None, asked: tuple[str, ...]) -> str | None:
    """The product that one of a response is for; of none of those that were requested, the whole request."""
    if not asked or entity in asked:
        return entity if asked else None
    return asked[0] if len(asked) == 1 else requested


def _unexpected(product: Mapping[str, Any]) -> Iterable[str]:
    yield from product.keys() - PRODUCT_FIELDS
    csv = product.get("csv")
    if isinstance(csv, list):
        yield from (f"csv[{index}]" for index in range(len(SERIES), len(csv)) if csv[index])


def _object(line: LandedLine) -> Mapping[str, Any]:
    try:
        record = orjson.loads(line.text)
    except orjson.JSONDecodeError:
        return {}
    return record if isinstance(record, dict) else {}


def _object_of(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = record.get(name)
    return value if isinstance(value, dict) else {}


def _number(response: Mapping[str, Any], name: str) -> int:
    value = response.get(name)
    return value if isinstance(value, int) else 0
