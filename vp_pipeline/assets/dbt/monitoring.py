"""The record of each dbt invocation, in the warehouse's schema `monitoring`.

Here: what Dagster knows about it. Not here: what is written, and where (`quality/monitoring.py`).
"""

from collections.abc import Collection, Mapping, Sequence, Set
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg

from vp_pipeline.assets.keys import intake_key
from vp_pipeline.data_folder import PENDING_RECORDS
from vp_pipeline.dbt.invocation import InstalledDbt
from vp_pipeline.quality.monitoring import read_invocation, record
from vp_pipeline.sources.source import Stream
from vp_pipeline.warehouse.loading import Warehouse


def record_invocation(
    context: dg.AssetExecutionContext,
    warehouse: Warehouse,
    target: Path,
    dbt: InstalledDbt,
    built: Mapping[date, Set[dg.AssetKey]],
    rows: Mapping[dg.AssetKey, int],
    restated: Collection[str] = (),
) -> None:
    """Records the invocation whose results are in `target`. `built`: the models, by day; `rows`: of each of them;
    `restated`: those that were built as a whole.

    A record that cannot be written is logged as a warning and waits for the next run: the data is not affected.
    """
    counted = {(key.path[0], key.path[1]): count for key, count in rows.items()}
    try:
        run = context.instance.get_run_record_by_id(context.run_id)
        began = (run.start_time if run else None) or 0.0
        days = {day: {key.path[-1] for key in keys} for day, keys in sorted(built.items())}
        jobs = _jobs(context, dbt.settings.streams, [*days])
        invocation = read_invocation(context.run_id, days, jobs, counted, target, dbt.manifest, restated)
        if invocation is None:
            return
        # Results from before this run are of another one: dbt ended without any.
        if datetime.fromisoformat(invocation.finished_at).replace(tzinfo=UTC).timestamp() >= began:
            record(warehouse, target, invocation)
    except Exception as error:
        context.log.warning(
            "The record of this run is not in the schema `monitoring` yet; the next run writes it, from %s. %s: %s",
            target / PENDING_RECORDS,
            type(error).__name__,
            error,
        )


def _jobs(context: dg.AssetExecutionContext, streams: Sequence[Stream], days: Sequence[date]) -> dict[date, str]:
    """The Airbyte job of each day, from its newest materialization; of several streams all of them."""
    jobs = {}
    for day in days:
        found = []
        for stream in streams:
            of_day = dg.AssetRecordsFilter(intake_key(stream), asset_partitions=[day.isoformat()])
            for newest in context.instance.fetch_materializations(of_day, limit=1).records:
                materialization = newest.asset_materialization
                if materialization is not None and "job_id" in materialization.metadata:
                    found.append(str(materialization.metadata["job_id"].value))
        if found:
            jobs[day] = ", ".join(found)
    return jobs
