"""Bronze that was materialized on its own: what is derived from it follows, day by day."""

from collections.abc import Sequence

import dagster as dg
import orjson

from vp_pipeline.assets.keys import bronze_key, silver_key
from vp_pipeline.automation.jobs import LANDED, LATE_DATA, from_bronze, run_request, runs_whole_days
from vp_pipeline.sources.source import Stream

PER_TICK = 30


def bronze_sensor(streams: Sequence[Stream], freshness: dg.AssetChecksDefinition) -> dg.SensorDefinition:
    """Starts the rest of a day for each bronze partition that was materialized in a run without silver."""
    by_key = {bronze_key(stream): stream for stream in streams}

    # Not an @asset_sensor: it reads one event per tick, the newest, and partitions that finish together are lost. Not a
    # condition: eager() looks at the newest day only, and a day that was landed again may be any.
    @dg.sensor(
        name="bronze_follow_up",
        job_name=LANDED,
        minimum_interval_seconds=60,
        description="Builds on bronze that was materialized on its own (re-landed from the UI, or by another job).",
    )
    def watch(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        assert context.repository_def is not None
        seen: dict[str, int] = orjson.loads(context.cursor) if context.cursor else {}
        requests = []
        for key, stream in sorted(by_key.items()):
            name = key.to_user_string()
            if name not in seen:  # just switched on: from here on
                newest = context.instance.fetch_materializations(key, limit=1).records
                seen[name] = newest[0].storage_id if newest else 0
                continue
            records = context.instance.fetch_materializations(
                dg.AssetRecordsFilter(key, after_storage_id=seen[name]), limit=PER_TICK, ascending=True
            ).records
            below = from_bronze([stream], freshness, include_bronze=False)
            silver = {silver_key(table) for table in stream.tables}
            # The newest of a day counts: landing it twice is followed up once.
            days: dict[str, int] = {}
            for record in records:
                seen[name] = record.storage_id
                if record.partition_key and not _continues(context.instance, record.run_id, silver):
                    days[record.partition_key] = record.storage_id
            requests += [
                run_request(context.repository_def, below, f"{name} {day} {storage_id}", day, {"vp/follows": name})
                for day, storage_id in days.items()
            ]
        context.update_cursor(orjson.dumps(seen).decode())
        if not requests:
            return dg.SkipReason("No bronze was materialized on its own.")
        return dg.SensorResult(requests)

    return watch


def _continues(instance: dg.DagsterInstance, run_id: str, silver: set[dg.AssetKey]) -> bool:
    """Whether the run that materialized a partition continues with what is derived from it."""
    run = instance.get_run_by_id(run_id)
    if run is None:
        return False
    if run.asset_selection is None:  # all of its job, which may be the layer alone
        return run.job_name == LATE_DATA or runs_whole_days(run.job_name)
    return bool(run.asset_selection & silver)
