"""The newest result of a check for one partition.

`DagsterInstance` gives the newest result of a check whatever its partition; by partition only its storage does.

Private names:

- `PartitionKeyFilter`: the storage's filter of check results; `key=None` is of results without a partition.
  Guard: `automation/test_retention.py::test_a_run_goes_when_nobody_needs_its_events`
"""

import dagster as dg
from dagster._core.event_api import PartitionKeyFilter


def run_of_newest_result(instance: dg.DagsterInstance, check: dg.AssetCheckKey, partition: str | None) -> str | None:
    """The run that evaluated or planned a check last for a partition; None: there is no such run."""
    newest = instance.event_log_storage.get_latest_asset_check_execution_by_key(
        [check], partition_filter=PartitionKeyFilter(key=partition)
    )
    return newest[check].run_id if check in newest else None
