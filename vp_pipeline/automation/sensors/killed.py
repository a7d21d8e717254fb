"""Runs whose process was killed end as failed, whoever launched them."""

from datetime import UTC, datetime

import dagster as dg

from vp_pipeline.automation.killed_runs import end_killed_runs
from vp_pipeline.dagster_internals.errors import recorded_as_sentence
from vp_pipeline.failures import PipelineError
from vp_pipeline.warehouse.lease.lease import Lease

# Sensors are evaluated in the code server, which imports this once, at its start.
_SERVER_SINCE = datetime.now(UTC)


def killed_sensor(lease: Lease) -> dg.SensorDefinition:
    """Ends the runs whose process is gone."""

    # The one sensor that is on from the beginning: it starts nothing, and without it a run that was killed with
    # everything else seems to be running for ever, so that no message is sent and no backfill that it is part of ends.
    @dg.sensor(
        name="killed_runs",
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Ends runs whose process is gone: killed, or its machine went down.",
    )
    @recorded_as_sentence(PipelineError)
    def watch(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        origin = context.code_location_origin
        ended = end_killed_runs(context.instance, lease, origin.location_name if origin else None, _SERVER_SINCE)
        listed = ", ".join(run.run_id[:8] for run in ended)
        return dg.SkipReason(f"Ended, because their process is gone: {listed}." if ended else "No run was killed.")

    return watch
