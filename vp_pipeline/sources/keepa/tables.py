"""The tables that Keepa's product responses are decoded into: their contracts.

Here: schemas, units, ranges and natural keys. Not here: how a response becomes rows (`decode.py`).

Every key holds `snapshot_at`: silver and RAW keep every point of every response, and CORE chooses the newest.
"""

from vp_pipeline.sources.contract import FLAG, INT, TEXT, TIMESTAMP, Column, Table
from vp_pipeline.sources.keepa.series import DOMAINS, SERIES_NAMES, names_of

ASIN = Column("asin", TEXT, "Amazon's product number.", matches="[A-Z0-9]{10}")
DOMAIN_ID = Column("domain_id", INT, "Keepa's number of the marketplace.", at_least=1, at_most=12)
SNAPSHOT_AT = Column("snapshot_at", TIMESTAMP, "The moment of Keepa's response.", unit="UTC")
OBSERVED_AT = Column(
    "observed_at", TIMESTAMP, "When the value became true; it holds until the next row.", unit="UTC minute"
)
CURRENCY = Column("currency", TEXT, "ISO 4217 code.", one_of=tuple(sorted({d.currency for d in DOMAINS.values()})))
POINT_KEY = ("asin", "domain_id", "series", "observed_at", "snapshot_at")


def _series(kind_names: tuple[str, ...]) -> Column:
    return Column("series", TEXT, "Keepa's name of the history.", one_of=kind_names)


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
        ),
        Column("title", TEXT, "The product's title.", nullable=True),
        Column("brand", TEXT, "Brand.", nullable=True),
        Column("manufacturer", TEXT, "Manufacturer.", nullable=True),
        Column("model", TEXT, "Model.", nullable=True),
        Column("color", TEXT, "Color.", nullable=True),
        Column("size", TEXT, "Size, as the seller wrote it.", nullable=True),
        Column("product_group", TEXT, "Amazon's product group.", nullable=True),
        Column("parent_asin", TEXT, "The variation parent's ASIN.", nullable=True),
        Column(
            "root_category_id",
            INT,
            "Category id of the root of the tree; null: none.",
            nullable=True,
            at_least=0,
        ),
        Column(
            "category_id",
            INT,
            "Deepest category in Keepa's category tree; null: none.",
            nullable=True,
            at_least=0,
        ),
        Column("category_path", TEXT, "Names of the category tree, joined with ' > '.", nullable=True),
        Column(
            "sales_rank_category_id",
            INT,
            "Category that the SALES series ranks in; null: none.",
            nullable=True,
            at_least=0,
        ),
        Column("tracking_since", TIMESTAMP, "When Keepa began to track it.", unit="UTC minute", nullable=True),
        Column("listed_since", TIMESTAMP, "When Amazon listed it.", unit="UTC minute", nullable=True),
        Column("last_update", TIMESTAMP, "Keepa's last update of it.", unit="UTC minute", nullable=True),
        Column("last_price_change", TIMESTAMP, "Last change of a price.", unit="UTC minute", nullable=True),
        Column("package_weight", INT, "Weight of the package.", unit="g", nullable=True, at_least=0),
        Column("package_length", INT, "Length of the package.", unit="mm", nullable=True, at_least=0),
        Column("package_width", INT, "Width of the package.", unit="mm", nullable=True, at_least=0),
        Column("package_height", INT, "Height of the package.", unit="mm", nullable=True, at_least=0),
        Column("is_adult_product", FLAG, "Amazon marks it as for adults.", nullable=True),
    ),
)

PRICE = _table(
    "price",
    "Every point of every money series.",
    "one row per product, series, observed_at and response",
    POINT_KEY,
    (
        ASIN,
        DOMAIN_ID,
        _series(names_of("price")),
        OBSERVED_AT,
        SNAPSHOT_AT,
        Column("price", INT, "Price without shipping; -1: no offer.", unit="minor units", at_least=-1),
        Column(
            "shipping",
            INT,
            "Shipping; -1: no offer or unknown; null: the series has none.",
            unit="minor units",
            nullable=True,
            at_least=-1,
        ),
        Column(
            "landed_price",
            INT,
            "price + max(shipping, 0); -1: no offer.",
            unit="minor units",
            at_least=-1,
        ),
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
        Column("series", TEXT, "SALES, or CATEGORY for `salesRanks`.", one_of=("SALES", "CATEGORY")),
        Column(
            "category_id",
            INT,
            "Category ranked in; 0 for SALES, whose category is the product's sales_rank_category_id.",
            at_least=0,
        ),
        OBSERVED_AT,
        SNAPSHOT_AT,
        Column("sales_rank", INT, "Rank, 1 is best; -1: not ranked.", at_least=-1),
    ),
)

REVIEW = _table(
    "review",
    "Every point of RATING and COUNT_REVIEWS.",
    "one row per product, series, observed_at and response",
    POINT_KEY,
    (
        ASIN,
        DOMAIN_ID,
        _series(names_of("review")),
        OBSERVED_AT,
        SNAPSHOT_AT,
        Column("value", INT, "RATING: tenths of a star (45 = 4.5). COUNT_REVIEWS: reviews.", at_least=-1),
    ),
)

OFFER_COUNT = _table(
    "offer_count",
    "Every point of the offer counts, and of EXTRA_INFO_UPDATES (when Keepa refreshed the offers).",
    "one row per product, series, observed_at and response",
    POINT_KEY,
    (
        ASIN,
        DOMAIN_ID,
        _series(names_of("offer_count")),
        OBSERVED_AT,
        SNAPSHOT_AT,
        Column(
            "value",
            INT,
            "Offers; EXTRA_INFO_UPDATES may be negative.",
            unit="offers",
            at_least=-1,
            unbounded_where=("series", "EXTRA_INFO_UPDATES"),
        ),
    ),
)

BUY_BOX = _table(
    "buy_box",
    "Who won the buy box, from when on.",
    "one row per product, observed_at and response",
    ("asin", "domain_id", "observed_at", "snapshot_at"),
    (
        ASIN,
        DOMAIN_ID,
        OBSERVED_AT,
        SNAPSHOT_AT,
        Column("seller_id", TEXT, "Amazon's seller id; -1: no offer qualified; -2: out of stock.", matches=".+"),
    ),
)

MONTHLY_SOLD = _table(
    "monthly_sold",
    "Amazon's 'bought in past month', whenever it changed.",
    "one row per product, observed_at and response",
    ("asin", "domain_id", "observed_at", "snapshot_at"),
    (
        ASIN,
        DOMAIN_ID,
        OBSERVED_AT,
        SNAPSHOT_AT,
        Column("monthly_sold", INT, "Lower bound of units sold in 30 days; -1: none.", at_least=-1),
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
        Column("stat", TEXT, "Keepa's name of the figure (current, avg30, outOfStockPercentage90, min, …)."),
        Column(
            "series",
            TEXT,
            "The series that it is of; PRODUCT for a figure of the whole product.",
            one_of=(*SERIES_NAMES, "PRODUCT"),
        ),
        SNAPSHOT_AT,
        Column("value", INT, "In the series' own unit; percentages as whole percent; -1: none."),
        Column(
            "value_at",
            TIMESTAMP,
            "When it occurred: extremes only (min, max and their intervals).",
            unit="UTC minute",
            nullable=True,
        ),
    ),
)

TABLES: tuple[Table, ...] = (PRODUCT, PRICE, RANK, REVIEW, OFFER_COUNT, BUY_BOX, MONTHLY_SOLD, STATS)
