"""The recorded results of asset checks, by partition.

`quality/gate.py` needs the newest finished result of a check for one day. The public instance offers results by check
only, whatever the partition. Guarded by `assets/test_days.py`: `test_the_gate_holds_in_a_later_run` and
`test_a_result_that_is_only_planned_does_not_open_the_gate`.
"""

from dagster._core.event_api import PartitionKeyFilter
from dagster._core.storage.asset_check_execution_record import (
    AssetCheckExecutionRecord,
    AssetCheckExecutionRecordStatus,
)

__all__ = ["AssetCheckExecutionRecord", "AssetCheckExecutionRecordStatus", "PartitionKeyFilter"]
