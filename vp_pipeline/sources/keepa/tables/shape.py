"""What Keepa's contracts have in common: their source and stream, and what a point of a history is.

Here: those shapes. Not here: ranges (`ranges.py`), and any one table.
"""

from vp_pipeline.sources.contract import Column, Table
from vp_pipeline.sources.keepa.ranges import ASIN, DOMAIN_ID, OBSERVED_AT, SNAPSHOT_AT

POINT = (ASIN, DOMAIN_ID, OBSERVED_AT, SNAPSHOT_AT)
POINT_KEY = ("asin", "domain_id", "series", "observed_at", "snapshot_at")
UNREADABLE = "null: unreadable, the point is in quarantine."


def keepa_table(name: str, description: str, grain: str, key: tuple[str, ...], columns: tuple[Column, ...]) -> Table:
    return Table("keepa", "product", name, description, grain, key, columns)
