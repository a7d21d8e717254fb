"""The metadata key of an output that records no materialization of its own.

`assets/days/flow.py` records the materialization of each day itself. An ordinary output of the step would mark every
partition of the run as materialized, the failed ones too. Dagster has no public way to yield an output without that.

Private names:

- `SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION`: Dagster sets it for observations of source assets, and records no
  materialization of an output that has it.
  Guard: `assets/test_days.py::test_each_day_has_its_own_materialization_and_check`
"""

from dagster._core.definitions.source_asset import (
    SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION as NO_MATERIALIZATION_KEY,
)

__all__ = ["NO_MATERIALIZATION_KEY"]
