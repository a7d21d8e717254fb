"""The instance's storage: Dagster's own files, read and written as by Dagster itself."""

import signal
import subprocess
import sys
import time

import dagster as dg
import pytest
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage

from vp_pipeline.dagster_internals.sqlite_storage import KeptSqliteEventLogStorage

pytestmark = pytest.mark.integration

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


CHECK = dg.AssetCheckSpec("whole", asset="numbers")


@dg.asset(check_specs=[CHECK])
def numbers():  # type: ignore[no-untyped-def]
    """An asset with a check."""
    return dg.MaterializeResult(metadata={"rows": 3}, check_results=[dg.AssetCheckResult(passed=True)])


@pytest.fixture
def kept(environment: dict[str, str]) -> dg.DagsterInstance:
    return dg.DagsterInstance.from_config(environment["DAGSTER_HOME"])


def storage_of(instance: dg.DagsterInstance) -> KeptSqliteEventLogStorage:
    storage = instance.event_log_storage
    assert isinstance(storage, KeptSqliteEventLogStorage)
    return storage


def test_what_is_stored_is_what_dagster_reads(kept: dg.DagsterInstance) -> None:
    run = dg.materialize([numbers], instance=kept, run_config=QUIET)
    stock = SqliteEventLogStorage(storage_of(kept)._base_dir)
    for storage in (stock, kept.event_log_storage):
        types = [
            record.event_log_entry.dagster_event_type for record in storage.get_records_for_run(run.run_id).records
        ]
        assert types[-1] == dg.DagsterEventType.RUN_SUCCESS
        assert dg.DagsterEventType.ASSET_CHECK_EVALUATION in types
        event = storage.get_latest_materialization_events([numbers.key])[numbers.key]
        assert event is not None
        assert event.run_id == run.run_id
        (check,) = storage.get_latest_asset_check_execution_by_key([CHECK.key]).values()
        assert check.status.value == "SUCCEEDED"


def test_a_check_that_was_not_evaluated_has_no_result(kept: dg.DagsterInstance) -> None:
    """Stock Dagster shows one as failed, in place of its last result, when the run that planned it fails."""
    assert dg.materialize([numbers], instance=kept, run_config=QUIET).success

    @dg.asset(name="numbers", check_specs=[CHECK])
    def broken() -> dg.MaterializeResult:
        raise ValueError

    assert not dg.materialize([broken], instance=kept, run_config=QUIET, raise_on_error=False).success
    (newest,) = kept.event_log_storage.get_latest_asset_check_execution_by_key([CHECK.key]).values()
    assert newest.status.value == "SUCCEEDED"
    with dg.DagsterInstance.ephemeral() as stock:
        assert not dg.materialize([broken], instance=stock, run_config=QUIET, raise_on_error=False).success
        (newest,) = stock.event_log_storage.get_latest_asset_check_execution_by_key([CHECK.key]).values()
        assert newest.status.value == "PLANNED"


def test_a_watcher_in_another_process_receives_each_event(kept: dg.DagsterInstance) -> None:
    storage = storage_of(kept)
    run = dg.materialize([numbers], instance=kept, run_config=QUIET)
    entry = storage.get_logs_for_run(run.run_id)[-1]
    other = KeptSqliteEventLogStorage(storage._base_dir)
    received: list[str] = []
    cursor = storage.get_records_for_run(run.run_id).cursor
    other.watch(run.run_id, cursor, lambda event, _: received.append(event.user_message))
    for number in range(3):
        storage.store_event(entry._replace(user_message=f"event {number}"))
        until = time.monotonic() + 10
        while len(received) <= number and time.monotonic() < until:
            time.sleep(0.02)
        assert received == [f"event {n}" for n in range(number + 1)]
    other.dispose()


def test_a_killed_process_loses_no_event(kept: dg.DagsterInstance, environment: dict[str, str]) -> None:
    script = (
        "import os, signal, sys, dagster as dg\n"
        "from vp_pipeline_tests.dagster_internals.test_sqlite_storage import QUIET, numbers\n"
        "instance = dg.DagsterInstance.from_config(os.environ['DAGSTER_HOME'])\n"
        "run = dg.materialize([numbers], instance=instance, run_config=QUIET)\n"
        "print(run.run_id, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    events = kept.all_logs(done.stdout.strip())
    assert events[-1].dagster_event_type == dg.DagsterEventType.RUN_SUCCESS
