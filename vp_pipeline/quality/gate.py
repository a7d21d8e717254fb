"""The gate between assets: a day is built only on days whose newest blocking checks have passed.

Dagster's blocking checks hold for one run and for all of its partitions together; this gate reads the recorded
results, so it holds day by day, within a run over many days as well as from one run to the next.
"""

from collections.abc import Iterable

import dagster as dg
from dagster import AssetCheckSeverity, DagsterInstance
from dagster._core.event_api import PartitionKeyFilter
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus

_FINISHED = {AssetCheckExecutionRecordStatus.SUCCEEDED, AssetCheckExecutionRecordStatus.FAILED}


def standing_failure(instance: DagsterInstance, checks: Iterable[dg.AssetCheckKey], partition: str) -> str | None:
    """Why a day may not be built upon: the first of `checks` whose newest result for the day is a failure.

    Returns a sentence that names the check, the day and the run, or None when nothing stands in the way. A check that
    was never evaluated for the day does not: then the layer's own reading of what it needs decides.
    """
    for key in sorted(checks, key=lambda k: (k.asset_key.to_user_string(), k.name)):
        records = instance.event_log_storage.get_asset_check_execution_history(
            key, limit=1, status=_FINISHED, partition_filter=PartitionKeyFilter(key=partition)
        )
        if not records or records[0].status == AssetCheckExecutionRecordStatus.SUCCEEDED:
            continue
        evaluation = records[0].evaluation
        if evaluation is None or evaluation.severity != AssetCheckSeverity.ERROR:
            continue
        return (
            f"the check {key.name} of {key.asset_key.to_user_string()} has failed for {partition} "
            f"(run {records[0].run_id[:8]}): {evaluation.description}"
        )
    return None
