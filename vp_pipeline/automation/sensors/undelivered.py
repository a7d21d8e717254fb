"""Refreshes and exports that could not be delivered: tried again later, by a run of the delivery alone."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import dagster as dg

from vp_pipeline.automation.jobs import DELIVERIES
from vp_pipeline.dagster_internals import run_statuses
from vp_pipeline.dagster_internals.errors import recorded_as_sentence
from vp_pipeline.delivery.outbox import Box, Entry
from vp_pipeline.failures import PipelineError
from vp_pipeline.partitions import parse_days

_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=5), timedelta(hours=6)
# A service that has been unavailable for days is a matter for a person, who was notified of every failure.
_TRIES = 20


def undelivered_sensor(boxes: Mapping[dg.AssetKey, Box], published: dg.AssetKey) -> dg.SensorDefinition:
    """Materializes the deliveries (asset → outbox) that have something open, for the newest published day."""

    # A sensor over the outbox and not a retry policy of the run: the service may be unavailable for longer than a run
    # may wait, and the data work of the run is done. Waits between tries double, so an outage of a day costs few runs.
    @dg.sensor(
        name="undelivered",
        job_name=DELIVERIES,
        minimum_interval_seconds=120,
        description="Tries deliveries again that Power BI or the export endpoint did not accept.",
    )
    @recorded_as_sentence(PipelineError)
    def watch(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        due: dict[dg.AssetKey, Entry] = {}
        now = datetime.now(UTC)
        for key, box in boxes.items():
            waiting = [entry for entry in box.open_entries() if entry.tries < _TRIES]
            if waiting and now >= waiting[0].changed_at + _wait(waiting[0].tries):
                due[key] = waiting[0]
        if not due:
            return dg.SkipReason("Nothing is to be delivered again now.")
        running = dg.RunsFilter(statuses=list(run_statuses.IN_PROGRESS))
        if context.instance.get_runs(running, limit=1):
            return dg.SkipReason("A run is in progress, which may deliver it.")
        days = parse_days(context.instance.get_materialized_partitions(published))
        if not days:
            return dg.SkipReason("Nothing was published, so there is nothing to deliver.")
        deliveries = " ".join(f"{key.to_user_string()}:{entry.key}:{entry.tries}" for key, entry in sorted(due.items()))
        return dg.RunRequest(
            run_key=f"{deliveries} {max(entry.changed_at for entry in due.values()).isoformat()}",
            partition_key=days[-1].isoformat(),
            asset_selection=sorted(due),
        )

    return watch


def _wait(tries: int) -> timedelta:
    doubled: int = 2 ** max(tries - 1, 0)
    return min(_FIRST_WAIT * doubled, _LONGEST_WAIT)
