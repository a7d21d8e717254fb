"""Values that keep the contract of the table of order events, where the first of a column's range does not.

Here: what `test_mutated_rows.py` cannot derive from the contracts; see `sources/keepa/sound_values.py`.
"""

from typing import Any

from vp_pipeline.sources.order_events.tables import TABLES

__all__ = ["EXAMPLES", "SOUND", "TABLES"]

SOUND: dict[Any, Any] = {
    "topic": "orders",
    "notification_id": "00000000-0000-4000-8000-000000000001",
    "order_id": "902-1234567-1234567",
    "marketplace_id": "ATVPDKIKX0DER",
}
EXAMPLES: dict[str, str] = {}
