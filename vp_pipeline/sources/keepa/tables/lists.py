"""What a response lists of a product: its numbers, images, variations, and what is bought with it.

Here: contracts with a row per element of a list. Not here: values that a product has once (`states.py`, `products.py`).
"""

from vp_pipeline.sources.contract import INT, TEXT, Column
from vp_pipeline.sources.keepa.ranges import (
    ASIN,
    DOMAIN_ID,
    INT_MAX,
    LONGEST_TEXT,
    SNAPSHOT_AT,
    TEXT_SOURCE,
    size,
    text,
)
from vp_pipeline.sources.keepa.tables.shape import keepa_table

_IMAGE = "Name of the file, below https://m.media-amazon.com/images/I/"


def _asin(name: str, description: str) -> Column:
    return Column(name, TEXT, description, matches="[A-Z0-9]{10}", range_source="Amazon: ten letters and digits")


def _position(of: str) -> Column:
    return Column(
        "position",
        INT,
        f"Its place in the list, from 1. {of}".strip(),
        at_least=1,
        at_most=INT_MAX,
        range_source="counted here; Keepa's lists have fewer than a hundred elements",
    )


IDENTIFIER = keepa_table(
    "identifier",
    "The numbers that a product has elsewhere: EAN, UPC, GTIN, and its maker's part number.",
    "one row per product, kind, value and response",
    ("asin", "domain_id", "kind", "value", "snapshot_at"),
    (
        ASIN,
        DOMAIN_ID,
        Column(
            "kind",
            TEXT,
            "EAN, UPC, GTIN or PART_NUMBER.",
            one_of=("EAN", "UPC", "GTIN", "PART_NUMBER"),
            range_source="Keepa's `eanList`, `upcList`, `gtinList` and `partNumber`",
        ),
        Column(
            "value",
            TEXT,
            "The number, with its leading zeros; of a part number any text.",
            at_least=1,
            at_most=LONGEST_TEXT,
            range_source=TEXT_SOURCE,
        ),
        SNAPSHOT_AT,
        _position("The first is the primary one."),
    ),
)

IMAGE = keepa_table(
    "image",
    "The images of a product.",
    "one row per product, position and response",
    ("asin", "domain_id", "position", "snapshot_at"),
    (
        ASIN,
        DOMAIN_ID,
        _position("The first is the main one."),
        SNAPSHOT_AT,
        Column(
            "image",
            TEXT,
            f"{_IMAGE}: the large one, where there is one.",
            at_least=1,
            at_most=LONGEST_TEXT,
            range_source=TEXT_SOURCE,
        ),
        size("image_width", "Its width.", "pixels"),
        size("image_height", "Its height.", "pixels"),
        text("medium_image", f"{_IMAGE}: the medium one."),
        size("medium_width", "Its width.", "pixels"),
        size("medium_height", "Its height.", "pixels"),
    ),
)

VARIATION = keepa_table(
    "variation",
    "The variations of a product's family, itself among them, as its response lists them (50 at most).",
    "one row per product, variation and response",
    ("asin", "domain_id", "variation_asin", "snapshot_at"),
    (
        ASIN,
        DOMAIN_ID,
        _asin("variation_asin", "The variation's ASIN."),
        SNAPSHOT_AT,
        _position(""),
        text("attributes", 'What it differs in, as JSON: {"Color": "White", "Size": "6-Pack"}; null: not given.'),
        text("image", f"{_IMAGE}; null: not given."),
    ),
)

BOUGHT_TOGETHER = keepa_table(
    "bought_together",
    "What Amazon shows as frequently bought together with a product.",
    "one row per product, other product and response",
    ("asin", "domain_id", "other_asin", "snapshot_at"),
    (
        ASIN,
        DOMAIN_ID,
        _asin("other_asin", "The other product's ASIN."),
        SNAPSHOT_AT,
        _position(""),
    ),
)
