"""Values that keep the contract of ScraperAPI's table, where the first of a column's range does not.

Here: what `test_mutated_rows.py` cannot derive from the contracts; see `sources/keepa/sound_values.py`.
"""

from typing import Any

from vp_pipeline.sources.scraperapi.tables import TABLES

__all__ = ["EXAMPLES", "SOUND", "TABLES"]

SOUND: dict[Any, Any] = {"asin": "B000000001"}
EXAMPLES: dict[str, str] = {}
