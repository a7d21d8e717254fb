"""What a response has of a product's present: fees, quantities, offers, and who holds the buy box.

Here: which field is which column of `product_state`. Not here: how a field is read (`fields.py`), and what does not
change from response to response as a rule (`products.py`).
"""

from typing import Any

from vp_pipeline.sources.keepa.decoding.numbers import JsonObject, is_object
from vp_pipeline.sources.keepa.decoding.parts.fields import (
    Field,
    add_row,
    count,
    fee,
    flag,
    integer,
    minute,
    percent,
    read_row,
    seller,
    size,
)
from vp_pipeline.sources.keepa.decoding.pieces import Origin, Pieces

TABLE = "product_state"


def read_state(product: JsonObject, origin: Origin, pieces: Pieces) -> None:
    """Collect the product's row of `product_state`."""
    pieces.records_in[TABLE] += 1
    stats: Any = product.get("stats")
    row = read_row(TABLE, product, _FIELDS, origin, pieces, {"stats": stats if is_object(stats) else None})
    add_row(TABLE, tuple(row), origin, pieces)


_FIELDS = (
    Field("fbaFees.pickAndPackFee", "fba_fee", fee),
    Field("fbaFees.lastUpdate", "fba_fee_updated_at", minute),
    Field("referralFeePercentage", "referral_fee_percent", percent),
    Field("referralFeePercent", "referral_fee_whole_percent", count),
    Field("packageQuantity", "package_quantity", size),
    Field("numberOfItems", "number_of_items", size),
    Field("availabilityAmazon", "amazon_availability", integer),
    Field("isSNS", "is_subscribe_and_save", flag),
    Field("stats.totalOfferCount", "offers", count),
    Field("stats.offerCountFBA", "fba_offers", count),
    Field("stats.offerCountFBM", "fbm_offers", count),
    Field("stats.lastOffersUpdate", "offers_updated_at", minute),
    Field("stats.salesRankDrops30", "sales_rank_drops_30d", count),
    Field("stats.salesRankDrops90", "sales_rank_drops_90d", count),
    Field("stats.salesRankDrops180", "sales_rank_drops_180d", count),
    Field("stats.salesRankDrops365", "sales_rank_drops_365d", count),
    Field("stats.buyBoxPrice", "buy_box_price", count),
    Field("stats.buyBoxShipping", "buy_box_shipping", count),
    Field("stats.buyBoxSavingBasis", "buy_box_saving_basis", count),
    Field("stats.buyBoxSellerId", "buy_box_seller_id", seller),
    Field("stats.buyBoxIsAmazon", "buy_box_is_amazon", flag),
    Field("stats.buyBoxIsFBA", "buy_box_is_fba", flag),
    Field("stats.buyBoxIsUnqualified", "buy_box_is_unqualified", flag),
    Field("stats.buyBoxIsUsed", "buy_box_is_used", flag),
    Field("stats.buyBoxIsPreorder", "buy_box_is_preorder", flag),
    Field("stats.buyBoxIsBackorder", "buy_box_is_backorder", flag),
    Field("stats.buyBoxIsPrimeEligible", "buy_box_is_prime_eligible", flag),
    Field("stats.lastBuyBoxUpdate", "buy_box_updated_at", minute),
)
# The columns of an interned row, in order.
STATE_FIELDS = tuple(field.column for field in _FIELDS)
