"""The tables that Keepa's product responses are decoded into: their contracts.

Here: schemas, units and natural keys, a module per subject. Not here: ranges (`ranges.py`), and how a response becomes
rows (`decode.py`).

Every key holds `snapshot_at`: silver and RAW keep every point of every response, and CORE chooses the newest. Import
the tables from here: the fingerprint of the decoder counts a contract by its values (`sources/decoder_code.py`).
"""

from vp_pipeline.sources.contract import Table
from vp_pipeline.sources.keepa.tables.figures import STATS
from vp_pipeline.sources.keepa.tables.histories import (
    BUY_BOX,
    BUY_BOX_USED,
    COUPON,
    MONTHLY_SOLD,
    OFFER_COUNT,
    PARENT_ASIN,
    PRICE,
    RANK,
    RANK_REFERENCE,
    REVIEW,
)
from vp_pipeline.sources.keepa.tables.lists import BOUGHT_TOGETHER, IDENTIFIER, IMAGE, VARIATION
from vp_pipeline.sources.keepa.tables.products import PRODUCT
from vp_pipeline.sources.keepa.tables.states import PRODUCT_STATE

__all__ = ["BUY_BOX", "BUY_BOX_USED", "IMAGE", "MONTHLY_SOLD", "PRODUCT", "PRODUCT_STATE", "TABLES", "VARIATION"]

TABLES: tuple[Table, ...] = (
    *(PRODUCT, PRODUCT_STATE, IDENTIFIER, IMAGE, VARIATION, BOUGHT_TOGETHER),
    *(PRICE, RANK, RANK_REFERENCE, REVIEW, OFFER_COUNT, BUY_BOX, BUY_BOX_USED, COUPON, PARENT_ASIN, MONTHLY_SOLD),
    STATS,
)
