"""The newest result of every check for a day, as the UI shows it."""

from collections.abc import Mapping
from datetime import date

import dagster as dg

from vp_pipeline.dagster_internals.check_records import (
    AssetCheckExecutionRecord,
    AssetCheckExecutionRecordStatus,
    PartitionKeyFilter,
)
from vp_pipeline.settings import PROJECT_ROOT

_NAMES = (PROJECT_ROOT / "docs" / "names.txt").read_text().splitlines()
_CHECKS = [dg.AssetCheckKey.from_user_string(line[6:]) for line in _NAMES if line.startswith("check ")]


def newest_results(instance: dg.DagsterInstance, day: date) -> Mapping[dg.AssetCheckKey, AssetCheckExecutionRecord]:
    """By check; those that have no result are left out."""
    return instance.event_log_storage.get_latest_asset_check_execution_by_key(
        _CHECKS, partition_filter=PartitionKeyFilter(key=str(day))
    )


def red_checks(instance: dg.DagsterInstance, day: date) -> list[str]:
    """The checks that are red for a day: those that block it, and those that Dagster shows as "execution failed"
    because a run that failed has planned them."""
    return [
        key.to_user_string()
        for key, record in newest_results(instance, day).items()
        if record.status == AssetCheckExecutionRecordStatus.PLANNED
        or (record.evaluation and not record.evaluation.passed and record.evaluation.severity.value == "ERROR")
    ]
