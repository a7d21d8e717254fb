"""A run in this process, event by event."""

from pathlib import Path

import dagster as dg

from vp_pipeline.dagster_internals.run_execution import create_run, execute
from vp_pipeline.settings import PROJECT_ROOT


@dg.asset
def numbers() -> int:
    return 1


@dg.asset(deps=[numbers])
def letters() -> None: ...


def test_events_come_while_the_run_executes(tmp_path: Path) -> None:
    definitions = dg.Definitions([numbers, letters], jobs=[dg.define_asset_job("all")], executor=dg.in_process_executor)
    job = definitions.resolve_job_def("all").get_subset(asset_selection={numbers.key})
    with dg.DagsterInstance.ephemeral(str(tmp_path)) as instance:
        run = create_run(
            instance,
            job,
            PROJECT_ROOT / "workspace.yaml",
            run_config={},
            tags={"dagster/partition": "2026-03-01"},
            selection={numbers.key},
        )
        assert run.asset_selection == {numbers.key}
        assert run.remote_job_origin is not None
        statuses = {}
        for event in execute(instance, job, run):
            stored = instance.get_run_by_id(run.run_id)
            assert stored is not None
            statuses[event.event_type] = stored.status
        assert statuses[dg.DagsterEventType.STEP_START] == dg.DagsterRunStatus.STARTED
        assert statuses[dg.DagsterEventType.RUN_SUCCESS] == dg.DagsterRunStatus.SUCCESS
        materialized = instance.get_latest_materialization_event(numbers.key)
        assert materialized is not None
        assert instance.get_latest_materialization_event(letters.key) is None
