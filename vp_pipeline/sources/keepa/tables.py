"""The tables that Keepa's product responses are decoded into: their contracts.

Here: schemas, units and natural keys. Not here: ranges (`ranges.py`), and how a response becomes rows (`decode.py`).

Every key holds `snapshot_at`: silver and RAW keep every point of every response, and CORE chooses the newest.
"""

from vp_pipeline.sources.contract import FLAG, INT, TEXT, TIMESTAMP, Column, Limit, Table
from vp_pipeline.sources.keepa.ranges import (
    AMAZON_FOUNDED,
    ASIN,
    CLIENT,
    CURRENCY,
    DOMAIN_ID,
    INT_MAX,
    JAVA_INT,
    KEEPA_EPOCH,
    LARGEST_ID,
    LATEST,
    OBSERVED_AT,
    SNAPSHOT_AT,
    category,
    moment,
    price,
    series,
    size,
    text,
    value,
)
from vp_pipeline.sources.keepa.series import SERIES_NAMES, names_of

_POINT_KEY = ("asin", "domain_id", "series", "observed_at", "snapshot_at")
_MOMENT = (ASIN, DOMAIN_ID, OBSERVED_AT, SNAPSHOT_AT)
_UNREADABLE = "null: unreadable, the point is in quarantine."


def _table(name: str, description: str, grain: str, key: tuple[str, ...], columns: tuple[Column, ...]) -> Table:
    return Table("keepa", "product", name, description, grain, key, columns)


PRODUCT = _table(
    "product",
    "What a product is: names, category, size, and when Keepa last updated it.",
    "one row per product and response",
    ("asin", "domain_id", "snapshot_at"),
    (
        ASIN,
        DOMAIN_ID,
        SNAPSHOT_AT,
        Column(
            "product_type",
            INT,
            "0 standard, 1 download, 2 ebook, 5 variation parent; null: not given.",
            nullable=True,
            at_least=0,
            at_most=5,
            never=(3, 4),
            range_source=f"{CLIENT}, `Product.ProductType`; 3 and 4 are not products and are refused",
        ),
        text("title", "The product's title."),
        text("brand", "Brand."),
        text("manufacturer", "Manufacturer."),
        text("model", "Model."),
        text("color", "Color."),
        text("size", "Size, as the seller wrote it."),
        text("product_group", "Amazon's product group."),
        Column(
            "parent_asin",
            TEXT,
            "The variation parent's ASIN.",
            nullable=True,
            matches="[A-Z0-9]{10}",
            range_source="Amazon: ten letters and digits",
        ),
        category("root_category_id", "Category id of the root of the tree; null: none."),
        category("category_id", "Deepest category in Keepa's category tree; null: none."),
        text("category_path", "Names of the category tree, joined with ' > '."),
        category(
            "sales_rank_category_id",
            "Category that the SALES series ranks in at the moment of the response; null: none.",
        ),
        moment("tracking_since", "When Keepa began to track it."),
        Column(
            "listed_since",
            TIMESTAMP,
            "When Amazon listed it; may be in the future.",
            unit="UTC minute",
            nullable=True,
            at_least=AMAZON_FOUNDED,
            at_most=LATEST,
            range_source="nothing was listed before Amazon was founded; announced products are listed from a day "
            "to come (417 days ahead in a real response)",
        ),
        moment("last_update", "Keepa's last update of it."),
        moment("last_price_change", "Last change of a price."),
        size("package_weight", "Weight of the package.", "g"),
        size("package_length", "Length of the package.", "mm"),
        size("package_width", "Width of the package.", "mm"),
        size("package_height", "Height of the package.", "mm"),
        Column(
            "is_adult_product",
            FLAG,
            "Amazon marks it as for adults.",
            nullable=True,
            range_source=f"{CLIENT}: true, false or not given",
        ),
    ),
)

PRICE = _table(
    "price",
    "Every point of every money series.",
    "one row per product, series, observed_at and response",
    _POINT_KEY,
    (
        ASIN,
        DOMAIN_ID,
        series(names_of("price")),
        OBSERVED_AT,
        SNAPSHOT_AT,
        price("price", f"Price without shipping; -1: no offer; {_UNREADABLE}", with_it=(-1, "shipping")),
        price("shipping", "Shipping; -1: no offer or unknown; null: the series has none, or unreadable."),
        price("landed_price", f"price + max(shipping, 0); -1: no offer; {_UNREADABLE}"),
        CURRENCY,
    ),
)

RANK = _table(
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
        value("sales_rank", f"Rank, 1 is best; -1: not ranked; {_UNREADABLE}", never=(0,)),
    ),
)

RANK_REFERENCE = _table(
    "rank_reference",
    "Which category the SALES series ranks in, from when on (`salesRankReferenceHistory`).",
    "one row per product, observed_at and response",
    ("asin", "domain_id", "observed_at", "snapshot_at"),
    (
        *_MOMENT,
        Column(
            "category_id",
            INT,
            f"Category that SALES ranks in; -1: none; {_UNREADABLE}",
            nullable=True,
            at_least=-1,
            at_most=LARGEST_ID,
            never=(0,),
            range_source="Amazon's category ids, -1: none; integers beyond 2^53 are not exact in JSON",
        ),
    ),
)

REVIEW = _table(
    "review",
    "Every point of RATING and COUNT_REVIEWS.",
    "one row per product, series, observed_at and response",
    _POINT_KEY,
    (
        ASIN,
        DOMAIN_ID,
        series(names_of("review")),
        OBSERVED_AT,
        SNAPSHOT_AT,
        value(
            "value",
            f"RATING: tenths of a star (45 = 4.5). COUNT_REVIEWS: reviews. -1: none; {_UNREADABLE}",
            Limit("series", "RATING", at_most=50),
            source=f"RATING: 0 to 50 ({CLIENT}); COUNT_REVIEWS: {JAVA_INT}; -1: none",
        ),
    ),
)

OFFER_COUNT = _table(
    "offer_count",
    "Every point of the offer counts, and of EXTRA_INFO_UPDATES (when Keepa refreshed the offers).",
    "one row per product, series, observed_at and response",
    _POINT_KEY,
    (
        ASIN,
        DOMAIN_ID,
        series(names_of("offer_count")),
        OBSERVED_AT,
        SNAPSHOT_AT,
        value(
            "value",
            f"Offers; -1: none; EXTRA_INFO_UPDATES may be negative; {_UNREADABLE}",
            Limit("series", "COUNT_.*", at_least=-1),
            at_least=-INT_MAX,
            source=f"{JAVA_INT}; counts: -1 is none; EXTRA_INFO_UPDATES is below zero in real responses",
        ),
    ),
)

BUY_BOX = _table(
    "buy_box",
    "Who won the buy box, from when on.",
    "one row per product, observed_at and response",
    ("asin", "domain_id", "observed_at", "snapshot_at"),
    (
        *_MOMENT,
        Column(
            "seller_id",
            TEXT,
            f"Amazon's seller id; -1: no offer qualified; -2: out of stock; {_UNREADABLE}",
            nullable=True,
            matches="-[12]|[A-Z0-9]{1,20}",
            range_source="Amazon: letters and digits (13 or 14 in real responses)",
        ),
    ),
)

MONTHLY_SOLD = _table(
    "monthly_sold",
    "Amazon's 'bought in past month', whenever it changed.",
    "one row per product, observed_at and response",
    ("asin", "domain_id", "observed_at", "snapshot_at"),
    (
        *_MOMENT,
        value("monthly_sold", f"Lower bound of units sold in 30 days; -1: none; {_UNREADABLE}"),
    ),
)

STATS = _table(
    "stats",
    "Keepa's own figures, long form: the oracle that the marts are compared with.",
    "one row per product, statistic, series and response",
    ("asin", "domain_id", "stat", "series", "snapshot_at"),
    (
        ASIN,
        DOMAIN_ID,
        Column(
            "stat",
            TEXT,
            "Keepa's name of the figure (current, avg30, outOfStockPercentage90, min, …).",
            matches="[A-Za-z][A-Za-z0-9_]{0,99}",
            range_source=f"{CLIENT}, `Stats`: names of Java fields",
        ),
        Column(
            "series",
            TEXT,
            "The series that it is of; PRODUCT for a figure of the whole product.",
            one_of=(*SERIES_NAMES, "PRODUCT"),
            range_source=f"{CLIENT}, `Product.CsvType`",
        ),
        SNAPSHOT_AT,
        Column(
            "value",
            INT,
            "In the series' own unit; percentages as whole percent; -1: none.",
            at_least=-INT_MAX,
            at_most=INT_MAX,
            limits=(
                Limit("stat", "outOfStockPercentage.*", at_least=-1, at_most=100),
                Limit("series", "RATING", at_least=-1, at_most=50),
                Limit("stat", "avg[0-9]*|(min|max)(InInterval)?", at_least=-1),
            ),
            range_source=f"{JAVA_INT}; percentages to 100, ratings to 50; -1: none; figures of a product and of "
            "EXTRA_INFO_UPDATES are below it in real responses",
        ),
        Column(
            "value_at",
            TIMESTAMP,
            "When it occurred: extremes only (min, max and their intervals).",
            unit="UTC minute",
            nullable=True,
            at_least=KEEPA_EPOCH,
            at_most=LATEST,
            not_after="snapshot_at",
            range_source="as observed_at: it is the time of a point",
        ),
    ),
)

TABLES: tuple[Table, ...] = (PRODUCT, PRICE, RANK, RANK_REFERENCE, REVIEW, OFFER_COUNT, BUY_BOX, MONTHLY_SOLD, STATS)
