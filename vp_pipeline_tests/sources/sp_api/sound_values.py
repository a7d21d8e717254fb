"""Values that keep the contracts of the tables of orders, where the first of a column's range does not.

Here: what `test_mutated_rows.py` cannot derive from the contracts. `SOUND`: by table and column, then by column.
"""

from datetime import datetime
from typing import Any

from vp_pipeline.sources.sp_api.tables import TABLES

__all__ = ["EXAMPLES", "SOUND", "TABLES"]

SOUND: dict[Any, Any] = {
    "order_id": "902-1234567-1234567",
    "replaced_order_id": "902-1234567-7654321",
    "order_item_id": "12345678901234",
    "marketplace_id": "ATVPDKIKX0DER",
    "asin": "B000000001",
    "currency": "USD",
    "purchased_at": datetime(2026, 5, 1),
    "last_updated_at": datetime(2026, 5, 2),
}
EXAMPLES: dict[str, str] = {}
