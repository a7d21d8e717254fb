"""What a product is, as a response describes it: names, category, size.

Here: the contract of `product`. Not here: what changes by the minute (`histories.py`).
"""

from vp_pipeline.sources.contract import FLAG, INT, TEXT, TIMESTAMP, Column
from vp_pipeline.sources.keepa.ranges import (
    AMAZON_FOUNDED,
    ASIN,
    CLIENT,
    DOMAIN_ID,
    LATEST,
    SNAPSHOT_AT,
    category,
    moment,
    size,
    text,
)
from vp_pipeline.sources.keepa.tables.shape import keepa_table

PRODUCT = keepa_table(
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
