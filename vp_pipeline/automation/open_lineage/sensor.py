"""The sensor `open_lineage`: finds runs that have ended, and posts their events."""

from collections.abc import Sequence

import dagster as dg
import orjson
from openlineage.client.event_v2 import RunEvent

from vp_pipeline.automation.open_lineage.receiver import Receiver, post_runs
from vp_pipeline.automation.open_lineage.run_events import Asset, Places, run_events
from vp_pipeline.dagster_internals.errors import recorded_as_sentence
from vp_pipeline.delivery.outbox import Box
from vp_pipeline.failures import PipelineError, TransientError

_ENDS = (dg.DagsterEventType.RUN_SUCCESS, dg.DagsterEventType.RUN_FAILURE, dg.DagsterEventType.RUN_CANCELED)
_READ = {dg.DagsterEventType.ASSET_MATERIALIZATION, dg.DagsterEventType.STEP_FAILURE}
_A_TICK = 20


def lineage_sensor(receiver: Receiver, box: Box, places: Places) -> dg.SensorDefinition:
    """Posts the runs that ended since it was switched on. A tick in which one was not taken is red; the next one goes
    on with it."""

    @dg.sensor(
        name="open_lineage",
        minimum_interval_seconds=60,
        description="Posts what runs wrote, and from what, as OpenLineage events to VP_OPENLINEAGE_URL.",
    )
    @recorded_as_sentence(PipelineError)
    def watch(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        instance = context.instance
        assert context.repository_def is not None
        graph = context.repository_def.asset_graph

        def asset_of(key: dg.AssetKey) -> Asset:
            if not graph.has(key):
                return Asset((), {})  # of an earlier version of the code
            node = graph.get(key)
            return Asset(sorted(node.parent_keys), node.metadata)

        def events_of(run_id: str) -> list[RunEvent]:
            record = instance.get_run_record_by_id(run_id)
            if record is None:
                return []
            return run_events(record, instance.all_logs(run_id, of_type=_READ), asset_of, places)

        seen, ended = _ended_since(instance, context.cursor)
        for run_id in ended:
            box.put(run_id, {"run_id": run_id})
        context.update_cursor(orjson.dumps(seen).decode())
        posted, problem = post_runs(receiver, box, events_of)
        if problem:
            raise TransientError(f"Runs that wait in {box.location}: {len(box.open_entries())}. {problem}")
        return dg.SkipReason(f"{posted} runs posted." if posted else "No run has ended.")

    return watch


def _ended_since(instance: dg.DagsterInstance, cursor: str | None) -> tuple[dict[str, int], Sequence[str]]:
    """How far the events were looked at, by type, and the runs that have ended since."""
    if cursor is None:
        newest = {end: instance.fetch_run_status_changes(end, limit=1).records for end in _ENDS}
        return {end.value: found[0].storage_id if found else 0 for end, found in newest.items()}, ()
    seen: dict[str, int] = orjson.loads(cursor)
    ended = []
    for end in _ENDS:
        after = dg.RunStatusChangeRecordsFilter(end, after_storage_id=seen[end.value])  # type: ignore[arg-type]
        for record in instance.fetch_run_status_changes(after, limit=_A_TICK, ascending=True).records:
            seen[end.value] = record.storage_id
            ended.append(record.event_log_entry.run_id)
    return seen, ended
