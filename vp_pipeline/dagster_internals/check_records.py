"""The recorded results of asset checks, by partition.

`DagsterInstance` gives the newest result of a check whatever its partition; by partition only its storage does.

Private names:

- `AssetCheckExecutionRecord`, `AssetCheckExecutionRecordStatus`: what the storage returns; a result may be planned
  only.
  Guard: `assets/test_days.py::test_a_result_that_is_only_planned_does_not_open_the_gate`
- `AssetCheckEvaluationTargetMaterializationData`: which materialization a result is of. Dagster adds it to the results
  that it makes itself; to its conditions and its UI a result without it is out of date as soon as it is stored.
  Guard: `assets/test_days.py::test_a_condition_sees_that_a_check_has_passed`
- `PartitionKeyFilter`: the storage's filter of check results; `key=None` is of results without a partition.
  Guard: `automation/test_retention.py::test_a_run_goes_when_nobody_needs_its_events`
"""

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationTargetMaterializationData
from dagster._core.event_api import PartitionKeyFilter
from dagster._core.storage.asset_check_execution_record import (
    AssetCheckExecutionRecord,
    AssetCheckExecutionRecordStatus,
)

__all__ = [
    "AssetCheckEvaluationTargetMaterializationData",
    "AssetCheckExecutionRecord",
    "AssetCheckExecutionRecordStatus",
    "PartitionKeyFilter",
    "newest_materialization",
    "run_of_newest_result",
]


def newest_materialization(
    instance: dg.DagsterInstance, asset: dg.AssetKey, partition: str
) -> AssetCheckEvaluationTargetMaterializationData | None:
    """The materialization that a result of a check is of when it is evaluated now; None: there is none yet."""
    of_partition = dg.AssetRecordsFilter(asset, asset_partitions=[partition])
    for record in instance.fetch_materializations(of_partition, limit=1).records:
        return AssetCheckEvaluationTargetMaterializationData(
            storage_id=record.storage_id, run_id=record.run_id, timestamp=record.timestamp
        )
    return None


def run_of_newest_result(instance: dg.DagsterInstance, check: dg.AssetCheckKey, partition: str | None) -> str | None:
    """The run that evaluated or planned a check last for a partition; None: there is no such run."""
    newest = instance.event_log_storage.get_latest_asset_check_execution_by_key(
        [check], partition_filter=PartitionKeyFilter(key=partition)
    )
    return newest[check].run_id if check in newest else None
