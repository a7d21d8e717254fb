"""The account of a run that the dbt step leaves in the warehouse.

Here: what Dagster knows of it. Not here: what is written, and where (`quality/monitoring.py`).
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg

from vp_pipeline.assets.keys import airbyte_key
from vp_pipeline.quality.monitoring import account, record
from vp_pipeline.sources.registry import STREAMS
from vp_pipeline.warehouse.loading import Warehouse


def record_invocation(
    context: dg.AssetExecutionContext,
    warehouse: Warehouse,
    target: Path,
    manifest: Path,
    days: Sequence[date],
    rows: Mapping[dg.AssetKey, int],
) -> None:
    """Writes the account of the invocation over `days` that left its results in `target`; `manifest`: the project's.

    An account that cannot be written is a warning and waits for the next run: it says nothing about the data.
    """
    counted = {(key.path[0], key.path[1]): count for key, count in rows.items()}
    try:
        run = context.instance.get_run_record_by_id(context.run_id)
        began = (run.start_time if run else None) or 0.0
        told = account(context.run_id, days, _jobs(context, days), counted, target, manifest)
        # Results from before this run are another's: dbt ended without any.
        if told is not None and datetime.fromisoformat(told.finished_at).replace(tzinfo=UTC).timestamp() >= began:
            record(warehouse, target, told)
    except Exception as error:
        context.log.warning(
            "The account of this run is not in the schema `monitoring` yet; the next run writes it, from %s. %s: %s",
            target / "monitoring_pending",
            type(error).__name__,
            error,
        )


def _jobs(context: dg.AssetExecutionContext, days: Sequence[date]) -> dict[date, str]:
    """The Airbyte job of each day, as its newest materialization tells it; of several streams all."""
    jobs = {}
    for day in days:
        found = []
        for _, stream in STREAMS:
            of_day = dg.AssetRecordsFilter(airbyte_key(stream), asset_partitions=[day.isoformat()])
            for newest in context.instance.fetch_materializations(of_day, limit=1).records:
                materialization = newest.asset_materialization
                if materialization is not None and "job_id" in materialization.metadata:
                    found.append(str(materialization.metadata["job_id"].value))
        if found:
            jobs[day] = ", ".join(found)
    return jobs
