"""The histories of a product: every point of each.

Here: contracts with a row per point. Not here: figures over a history (`figures.py`).
"""

from vp_pipeline.sources.contract import FLAG, INT, TEXT, Column, Limit
from vp_pipeline.sources.keepa.ranges import (
    ASIN,
    CLIENT,
    CURRENCY,
    DOMAIN_ID,
    INT_MAX,
    JAVA_INT,
    LARGEST_ID,
    OBSERVED_AT,
    SNAPSHOT_AT,
    price,
    series,
    value,
)
from vp_pipeline.sources.keepa.series import names_of
from vp_pipeline.sources.keepa.tables.shape import POINT, POINT_KEY, UNREADABLE, keepa_table


def _coupon(name: str, description: str) -> Column:
    return Column(
        name,
        INT,
        f"{description}: an amount in minor units, or a percentage below zero (-10: 10 %); 0: none; {UNREADABLE}",
        nullable=True,
        at_least=-100,
        at_most=INT_MAX,
        range_source=f"{CLIENT}, `Product.coupon`: positive is an amount, negative a percentage; {JAVA_INT}",
    )


PRICE = keepa_table(
    "price",
    "Every point of every money series.",
    "one row per product, series, observed_at and response",
    POINT_KEY,
    (
        ASIN,
        DOMAIN_ID,
        series(names_of("price")),
        OBSERVED_AT,
        SNAPSHOT_AT,
        price("price", f"Price without shipping; -1: no offer; {UNREADABLE}", with_it=(-1, "shipping")),
        price("shipping", "Shipping; -1: no offer or unknown; null: the series has none, or unreadable."),
        price("landed_price", f"price + max(shipping, 0); -1: no offer; {UNREADABLE}"),
        CURRENCY,
    ),
)

RANK = keepa_table(
    "rank",
    "Every point of the sales-rank histories: the SALES series and each category of `salesRanks`.",
    "one row per product, series, category, observed_at and response",
    ("asin", "domain_id", "series", "category_id", "observed_at", "snapshot_at"),
    (
        ASIN,
        DOMAIN_ID,
        Column(
            "series",
            TEXT,
            "SALES, or CATEGORY for `salesRanks`.",
            one_of=("SALES", "CATEGORY"),
            range_source="Keepa's two kinds of rank histories",
        ),
        Column(
            "category_id",
            INT,
            "Category ranked in; 0 for SALES, whose category at each time is in `rank_reference`.",
            at_least=0,
            at_most=LARGEST_ID,
            limits=(Limit("series", "SALES", at_most=0), Limit("series", "CATEGORY", at_least=1)),
            range_source="Amazon's category ids; integers beyond 2^53 are not exact in JSON",
        ),
        OBSERVED_AT,
        SNAPSHOT_AT,
        value("sales_rank", f"Rank, 1 is best; -1: not ranked; {UNREADABLE}", never=(0,)),
    ),
)

RANK_REFERENCE = keepa_table(
    "rank_reference",
    "Which category the SALES series ranks in, from when on (`salesRankReferenceHistory`).",
    "one row per product, observed_at and response",
    ("asin", "domain_id", "observed_at", "snapshot_at"),
    (
        *POINT,
        Column(
            "category_id",
            INT,
            f"Category that SALES ranks in; -1: none; {UNREADABLE}",
            nullable=True,
            at_least=-1,
            at_most=LARGEST_ID,
            never=(0,),
            range_source="Amazon's category ids, -1: none; integers beyond 2^53 are not exact in JSON",
        ),
    ),
)

REVIEW = keepa_table(
    "review",
    "Every point of RATING and COUNT_REVIEWS.",
    "one row per product, series, observed_at and response",
    POINT_KEY,
    (
        ASIN,
        DOMAIN_ID,
        series(names_of("review")),
        OBSERVED_AT,
        SNAPSHOT_AT,
        value(
            "value",
            f"RATING: tenths of a star (45 = 4.5). COUNT_REVIEWS: reviews. -1: none; {UNREADABLE}",
            Limit("series", "RATING", at_most=50),
            source=f"RATING: 0 to 50 ({CLIENT}); COUNT_REVIEWS: {JAVA_INT}; -1: none",
        ),
    ),
)

OFFER_COUNT = keepa_table(
    "offer_count",
    "Every point of the offer counts, and of EXTRA_INFO_UPDATES (when Keepa refreshed the offers).",
    "one row per product, series, observed_at and response",
    POINT_KEY,
    (
        ASIN,
        DOMAIN_ID,
        series(names_of("offer_count")),
        OBSERVED_AT,
        SNAPSHOT_AT,
        value(
            "value",
            f"Offers; -1: none; EXTRA_INFO_UPDATES may be negative; {UNREADABLE}",
            Limit("series", "COUNT_.*", at_least=-1),
            at_least=-INT_MAX,
            source=f"{JAVA_INT}; counts: -1 is none; EXTRA_INFO_UPDATES is below zero in real responses",
        ),
    ),
)

BUY_BOX = keepa_table(
    "buy_box",
    "Who won the buy box, from when on.",
    "one row per product, observed_at and response",
    ("asin", "domain_id", "observed_at", "snapshot_at"),
    (
        *POINT,
        Column(
            "seller_id",
            TEXT,
            f"Amazon's seller id; -1: no offer qualified; -2: out of stock; {UNREADABLE}",
            nullable=True,
            matches="-[12]|[A-Z0-9]{1,20}",
            range_source="Amazon: letters and digits (13 or 14 in real responses)",
        ),
    ),
)

MONTHLY_SOLD = keepa_table(
    "monthly_sold",
    "Amazon's 'bought in past month', whenever it changed.",
    "one row per product, observed_at and response",
    ("asin", "domain_id", "observed_at", "snapshot_at"),
    (
        *POINT,
        value("monthly_sold", f"Lower bound of units sold in 30 days; -1: none; {UNREADABLE}"),
    ),
)

PARENT_ASIN = keepa_table(
    "parent_asin",
    "Which variation parent a product belonged to, from when on (`parentAsinHistory`).",
    "one row per product, observed_at and response",
    ("asin", "domain_id", "observed_at", "snapshot_at"),
    (
        *POINT,
        Column(
            "parent_asin",
            TEXT,
            f"The parent's ASIN; -1: none; {UNREADABLE}",
            nullable=True,
            matches="-1|[A-Z0-9]{10}",
            range_source="Amazon: ten letters and digits; -1: none",
        ),
    ),
)

COUPON = keepa_table(
    "coupon",
    "The coupons of a product, from when on (`couponHistory`).",
    "one row per product, observed_at and response",
    ("asin", "domain_id", "observed_at", "snapshot_at"),
    (
        *POINT,
        _coupon("one_time", "For one purchase"),
        _coupon("subscribe_and_save", "For a subscription's first delivery"),
    ),
)

BUY_BOX_USED = keepa_table(
    "buy_box_used",
    "Who held the buy box for used products, from when on (`buyBoxUsedHistory`).",
    "one row per product, observed_at and response",
    ("asin", "domain_id", "observed_at", "snapshot_at"),
    (
        *POINT,
        Column(
            "is_held",
            FLAG,
            f"A seller held it; {UNREADABLE}",
            nullable=True,
            range_source="Keepa has empty texts in place of the seller where nobody does",
        ),
        Column(
            "seller_id",
            TEXT,
            "Amazon's seller id; null: nobody, or unreadable.",
            nullable=True,
            matches="[A-Z0-9]{1,20}",
            range_source="Amazon: letters and digits (13 or 14 in real responses)",
        ),
        Column(
            "condition",
            INT,
            "Of the offer: 2 like new, 3 very good, 4 good, 5 acceptable; null: nobody, or unreadable.",
            nullable=True,
            at_least=2,
            at_most=5,
            range_source=f"{CLIENT}, `Offer.OfferCondition`: the used ones",
        ),
        Column(
            "is_fba",
            FLAG,
            "Amazon ships it; null: nobody, or unreadable.",
            nullable=True,
            range_source="Keepa has 1 and 0",
        ),
    ),
)
