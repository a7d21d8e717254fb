"""The gate between assets: a day is built only on days whose newest blocking checks have passed.

Dagster's blocking checks hold for one run and for all of its partitions together; this gate reads the recorded results,
so it holds day by day, within a run over many days as well as from one run to the next.
"""

from collections.abc import Mapping, Sequence

import dagster as dg
from dagster import AssetCheckSeverity, DagsterInstance

from vp_pipeline.dagster_internals.check_records import (
    AssetCheckExecutionRecord,
    AssetCheckExecutionRecordStatus,
    PartitionKeyFilter,
)

_FINISHED = {AssetCheckExecutionRecordStatus.SUCCEEDED, AssetCheckExecutionRecordStatus.FAILED}


def current_failures(
    instance: DagsterInstance, checks: Sequence[dg.AssetCheckKey], partition: str
) -> Mapping[dg.AssetCheckKey, str]:
    """Why nothing may be built on a day: those of `checks` whose newest result for the day is a failure.

    Each with a sentence that names the check, the day and the run. A check that was never evaluated for the day blocks
    nothing: whether its input exists, the layer itself finds out when it reads it.
    """
    failures = {}
    for key, record in _newest(instance, checks, partition).items():
        evaluation = record.evaluation
        if record.status == AssetCheckExecutionRecordStatus.SUCCEEDED or evaluation is None:
            continue
        if evaluation.severity == AssetCheckSeverity.ERROR:
            failures[key] = (
                f"the check {key.name} of {key.asset_key.to_user_string()} has failed for {partition} "
                f"(run {record.run_id[:8]}): {evaluation.description}"
            )
    return failures


def _newest(
    instance: DagsterInstance, checks: Sequence[dg.AssetCheckKey], partition: str
) -> Mapping[dg.AssetCheckKey, AssetCheckExecutionRecord]:
    """The newest finished result of each check for a day: one query, and one more for each that is only planned."""
    of_day = PartitionKeyFilter(key=partition)
    storage = instance.event_log_storage
    newest = dict(storage.get_latest_asset_check_execution_by_key(list(checks), partition_filter=of_day))
    for key, record in list(newest.items()):
        if record.status not in _FINISHED:
            finished = storage.get_asset_check_execution_history(
                key, limit=1, status=_FINISHED, partition_filter=of_day
            )
            if finished:
                newest[key] = finished[0]
            else:
                del newest[key]
    return newest
