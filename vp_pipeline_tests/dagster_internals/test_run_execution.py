"""A run in this process: event by event, and within what it holds."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import dagster as dg

from vp_pipeline.dagster_internals.run_execution import Hold, create_run, execute, executor_within
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


@contextmanager
def noted(notes: list[str], run_id: str, report: Callable[[str], None]) -> Iterator[None]:
    report(f"waiting in {run_id}")
    notes.append("entered")
    try:
        yield
    finally:
        notes.append("left")


def run_of(assets: list[dg.AssetsDefinition], hold: Hold, instance: dg.DagsterInstance) -> list[dg.DagsterEventType]:
    """The types of the events of a run of all assets within what `hold` gives."""
    definitions = dg.Definitions(assets, jobs=[dg.define_asset_job("all")], executor=executor_within(hold))
    job = definitions.resolve_job_def("all")
    run = create_run(instance, job, PROJECT_ROOT / "workspace.yaml", run_config={}, tags={})
    return [event.event_type for event in execute(instance, job, run)]


def test_a_run_is_within_what_it_holds(tmp_path: Path) -> None:
    notes: list[str] = []

    @dg.asset
    def works() -> None:
        notes.append("works")

    @dg.asset(deps=[works])
    def fails() -> None:
        notes.append("fails")
        raise KeyError("of the step")

    with dg.DagsterInstance.ephemeral(str(tmp_path)) as instance:
        types = run_of([works, fails], lambda _, run, report: noted(notes, run.run_id, report), instance)
        (run,) = instance.get_runs()
        messages = [entry.user_message for entry in instance.all_logs(run.run_id)]
    assert notes == ["entered", "works", "fails", "left"]
    assert types[-1] == dg.DagsterEventType.RUN_FAILURE
    assert f"waiting in {run.run_id}" in messages


def test_an_interrupt_ends_the_wait(tmp_path: Path) -> None:
    @contextmanager
    def waits() -> Iterator[None]:
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGTERM)).start()
        time.sleep(30)
        yield

    began = time.monotonic()
    with dg.DagsterInstance.ephemeral(str(tmp_path)) as instance:
        types = run_of([numbers], lambda *_: waits(), instance)
        (run,) = instance.get_runs()
        assert run.status == dg.DagsterRunStatus.FAILURE  # canceled is what someone terminates in the UI
    assert time.monotonic() - began < 10
    assert dg.DagsterEventType.STEP_START not in types


def test_a_step_below_a_failed_one_names_it_once(tmp_path: Path) -> None:
    @dg.multi_asset(specs=[dg.AssetSpec(name) for name in ("one", "two", "three")])
    def many() -> Iterator[dg.MaterializeResult]:
        raise KeyError("of the step")
        yield

    @dg.asset(deps=["one", "two", "three"])
    def below() -> None: ...

    @dg.asset(deps=["below"])
    def last() -> None: ...

    with dg.DagsterInstance.ephemeral(str(tmp_path)) as instance:
        run_of([many, below, last], lambda *_: nullcontext(), instance)
        (run,) = instance.get_runs()
        stored = {entry.step_key: entry for entry in instance.all_logs(run.run_id) if not entry.is_dagster_event}
    assert stored["below"].user_message == "below is not executed: many failed."
    assert stored["last"].user_message == "last is not executed: below was not executed."
    assert "Dependencies for step" not in str(stored)
