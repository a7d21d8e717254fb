"""An output that records no materialization of its own.

`assets/days/flow.py` records the materialization of each day itself. An ordinary output of the step would mark every
partition of the run as materialized, the failed ones too. Dagster has no public way to yield an output without that.

Private names:

- `SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION`: Dagster sets it for observations of source assets, and records no
  materialization of an output that has it. As an entry of the metadata it would be shown with every output.
  Guard: `assets/test_days.py::test_each_day_has_its_own_materialization_and_check`
"""

from typing import Any

import dagster as dg
from dagster._core.definitions.source_asset import SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION as _KEY


class UnrecordedOutput(dg.Output[None]):
    """An output of which Dagster records no materialization."""

    @property
    def metadata(self) -> Any:
        """Empty, and Dagster finds its key in it."""
        return _Marked()


class _Marked(dict[str, Any]):
    def __contains__(self, key: object) -> bool:
        return key == _KEY
