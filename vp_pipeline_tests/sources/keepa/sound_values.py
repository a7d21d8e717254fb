"""Values that keep the contracts of Keepa's tables, where the first of a column's range does not.

Here: what `test_mutated_rows.py` cannot derive from the contracts. `SOUND`: by table and column, then by column.
`EXAMPLES`: for the pattern of a `Limit` that does not match itself, a text that it
matches.
"""

from datetime import datetime
from typing import Any

from vp_pipeline.sources.keepa.tables import TABLES

__all__ = ["EXAMPLES", "SOUND", "TABLES"]

SOUND: dict[Any, Any] = {
    "asin": "B000000001",
    "observed_at": datetime(2026, 5, 1),
    "value_at": datetime(2026, 5, 1),
    "currency": "USD",
    "seller_id": "ATVPDKIKX0DER",
    "buy_box_seller_id": "ATVPDKIKX0DER",
    "stat": "current",
    "parent_asin": "B000000002",
    "variation_asin": "B000000002",
    "other_asin": "B000000002",
    "condition": 2,
    ("rank", "category_id"): 0,
    ("rank", "series"): "SALES",
}
EXAMPLES = {
    "COUNT_.*": "COUNT_NEW",
    "outOfStockPercentage.*": "outOfStockPercentage30",
    "avg[0-9]*|(min|max)(InInterval)?": "avg30",
}
