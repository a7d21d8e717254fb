"""Values that keep the contracts of Open-Meteo's tables, where the first of a column's range does not.

Here: what `test_mutated_rows.py` cannot derive from the contracts; see `sources/keepa/sound_values.py`.
"""

from datetime import datetime
from typing import Any

from vp_pipeline.sources.open_meteo.tables import TABLES

__all__ = ["EXAMPLES", "SOUND", "TABLES"]

# The lowest pressure that is allowed is above 1.
SOUND: dict[Any, Any] = {"location_id": "paris", "observed_at": datetime(2026, 5, 1), "pressure_msl": 1014}
EXAMPLES: dict[str, str] = {}
