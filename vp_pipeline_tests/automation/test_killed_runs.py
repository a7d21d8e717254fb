"""Which runs end because their process is gone, and that somebody hears of it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from vp_pipeline.assets.exclusive import PROCESS_TAG
from vp_pipeline.automation.jobs import WITHOUT_LEASE
from vp_pipeline.automation.killed_runs import LONG_SILENCE, SILENCE, end_killed_runs
from vp_pipeline.automation.notifications.queue import Alerts
from vp_pipeline.automation.notifications.sensors import run_alerts
from vp_pipeline.dagster_internals.run_execution import create_run
from vp_pipeline.delivery.outbox import Box
from vp_pipeline.settings import PROJECT_ROOT
from vp_pipeline.warehouse.lease.file import LeaseFile
from vp_pipeline.warehouse.lease.holder import Holder, Process
from vp_pipeline.warehouse.lease.lease import Lease

OWN = Process.own()
GONE = {PROCESS_TAG: f"{OWN.host}:{OWN.boot}:{OWN.pid}:1"}
ALIVE = {PROCESS_TAG: str(OWN)}
ELSEWHERE = {PROCESS_TAG: "another-machine:b:1:1"}
NOT_STARTED, STARTING, STARTED, CANCELING, QUEUED, FAILURE, CANCELED = (
    dg.DagsterRunStatus[name]
    for name in ("NOT_STARTED", "STARTING", "STARTED", "CANCELING", "QUEUED", "FAILURE", "CANCELED")
)
MOMENT, MINUTE = timedelta(seconds=2), timedelta(minutes=1)


@dg.job
def nothing() -> None:
    """A job without steps."""


def launched(instance: dg.DagsterInstance, status: dg.DagsterRunStatus, tags: dict[str, str]) -> str:
    """A run of this project's code location."""
    run = create_run(instance, nothing, PROJECT_ROOT / "workspace.yaml", run_config={}, tags=tags)
    if status != NOT_STARTED:
        types = {
            STARTING: dg.DagsterEventType.RUN_STARTING,
            STARTED: dg.DagsterEventType.RUN_START,
            CANCELING: dg.DagsterEventType.RUN_CANCELING,
            QUEUED: dg.DagsterEventType.RUN_ENQUEUED,
        }
        instance.report_dagster_event(dg.DagsterEvent(types[status].value, nothing.name), run.run_id)
    return run.run_id


@pytest.mark.parametrize("again", [False, True])
def test_a_run_that_is_executed_again_is_not_the_process_of_the_run_before(tmp_path: Path, again: bool) -> None:
    """By hand in the UI, or by the daemon (`run_retries`): it has the tags of the run before, and no process yet."""
    with dg.DagsterInstance.ephemeral(str(tmp_path)) as instance:
        before = launched(instance, STARTED, GONE)
        assert [run.run_id for run in end_killed_runs(instance, Lease(LeaseFile(tmp_path)), "vp_pipeline")] == [before]
        parent = {"parent_run_id": before, "root_run_id": before}
        run = instance.create_run_for_job(nothing, tags=GONE, **parent)
        if again:  # it was started, and that process is gone too
            instance.add_run_tags(run.run_id, {PROCESS_TAG: f"{OWN.host}:{OWN.boot}:{OWN.pid}:2"})
        ended = end_killed_runs(instance, Lease(LeaseFile(tmp_path)), "vp_pipeline")
        assert [each.run_id for each in ended] == [run.run_id] * again


@pytest.mark.parametrize(
    ("status", "tags", "silent", "becomes"),
    [
        *[(status, GONE, MOMENT, FAILURE) for status in (NOT_STARTED, STARTED)],
        (CANCELING, GONE, MOMENT, CANCELED),
        *[(status, ALIVE, 2 * LONG_SILENCE, status) for status in (NOT_STARTED, STARTED, CANCELING)],
        (QUEUED, {}, 2 * LONG_SILENCE, QUEUED),
        # Of another machine: what it writes decides.
        (STARTED, ELSEWHERE, SILENCE - MOMENT, STARTED),
        (STARTED, ELSEWHERE, SILENCE + MOMENT, FAILURE),
        (STARTED, {**ELSEWHERE, **WITHOUT_LEASE}, SILENCE + MOMENT, STARTED),
        (STARTED, {**ELSEWHERE, **WITHOUT_LEASE}, LONG_SILENCE + MOMENT, FAILURE),
        # Killed before it had a process; launched by a code server that is gone.
        (STARTING, {}, SILENCE - MOMENT, STARTING),
        (STARTING, {}, SILENCE + MOMENT, FAILURE),
        (NOT_STARTED, {}, SILENCE + MOMENT, NOT_STARTED),  # the daemon that comes back launches it
        (NOT_STARTED, {}, LONG_SILENCE + MOMENT, FAILURE),
    ],
)
def test_a_run_ends_when_its_process_is_gone(
    tmp_path: Path,
    status: dg.DagsterRunStatus,
    tags: dict[str, str],
    silent: timedelta,
    becomes: dg.DagsterRunStatus,
) -> None:
    with dg.DagsterInstance.ephemeral(str(tmp_path)) as instance:
        run_id = launched(instance, status, tags)
        now = datetime.now(UTC)
        ended = end_killed_runs(instance, Lease(LeaseFile(tmp_path)), "vp_pipeline", server_since=now, now=now + silent)
        run = instance.get_run_by_id(run_id)
        assert run is not None
        assert run.status == becomes
        assert [each.run_id for each in ended] == ([run_id] if becomes in (FAILURE, CANCELED) else [])
        again = end_killed_runs(instance, Lease(LeaseFile(tmp_path)), "vp_pipeline", server_since=now, now=now + silent)
        assert again == []


def test_a_run_that_its_server_has_just_launched_is_left_alone(tmp_path: Path) -> None:
    began = datetime.now(UTC)
    with dg.DagsterInstance.ephemeral(str(tmp_path)) as instance:
        launched(instance, STARTING, {})
        soon = datetime.now(UTC) + 2 * SILENCE
        assert end_killed_runs(instance, Lease(LeaseFile(tmp_path)), "vp_pipeline", server_since=began, now=soon) == []


def test_a_run_of_another_machine_that_holds_the_lease_is_alive_however_silent(tmp_path: Path) -> None:
    lease = Lease(LeaseFile(tmp_path))
    with dg.DagsterInstance.ephemeral(str(tmp_path)) as instance:
        run_id = launched(instance, STARTED, ELSEWHERE)
        later = datetime.now(UTC) + 2 * LONG_SILENCE
        with lease.hold(Holder("schedule", "", run_id), print):
            assert end_killed_runs(instance, lease, "vp_pipeline", now=later) == []
        assert [run.run_id for run in end_killed_runs(instance, lease, "vp_pipeline", now=later)] == [run_id]


def test_a_run_of_another_code_location_is_not_ours(tmp_path: Path) -> None:
    with dg.DagsterInstance.ephemeral(str(tmp_path)) as instance:
        launched(instance, STARTED, {})
        later = datetime.now(UTC) + 2 * LONG_SILENCE
        assert end_killed_runs(instance, Lease(LeaseFile(tmp_path)), "elsewhere", server_since=later, now=later) == []


def test_slack_is_notified_of_a_killed_run_that_a_person_launched(tmp_path: Path) -> None:
    box = Box(tmp_path / "slack.jsonl")
    sensor = run_alerts(Alerts(box, timedelta(hours=6)), "http://dagster.example")
    with dg.DagsterInstance.ephemeral(str(tmp_path)) as instance:
        with dg.build_sensor_context(instance) as context:
            cursor = sensor.evaluate_tick(context).cursor
        run_id = launched(instance, STARTED, GONE)
        end_killed_runs(instance, Lease(LeaseFile(tmp_path)), "vp_pipeline")
        with dg.build_sensor_context(instance, cursor=cursor) as context:
            sensor.evaluate_tick(context)
    (entry,) = box.entries()
    assert entry.content["text"].splitlines()[0] == "🔴 nothing failed for no day"
    assert f"The process of this run ({OWN.pid} on {OWN.host}) is gone." in entry.content["text"]
    assert run_id in entry.content["text"]
