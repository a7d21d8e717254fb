"""The storage of `infra/dagster/dagster.yaml` on a real PostgreSQL: what Dagster's own storage stores, and no more."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster_postgres import PostgresEventLogStorage

from vp_pipeline.dagster_internals.storage.postgres import EvaluatedPostgresEventLogStorage
from vp_pipeline.settings import PROJECT_ROOT
from vp_pipeline_tests.dagster_internals.test_sqlite_storage import CHECK, QUIET, numbers
from vp_pipeline_tests.stand_ins.postgres import binaries, postgres

pytestmark = pytest.mark.integration
EVALUATION = dg.DagsterEventType.ASSET_CHECK_EVALUATION
CONFIG = PROJECT_ROOT / "infra" / "dagster" / "dagster.yaml"


COMMANDS = re.findall(r"^\$ (pg_\w+ .+)$", (PROJECT_ROOT / "docs" / "production.md").read_text(), re.MULTILINE)


@pytest.fixture
def deployed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """The instance of the file as it is."""
    with postgres() as server:
        server.new_database("dagster")
        given = server.variables("dagster")
        password = {"PGPASSWORD": given["DAGSTER_POSTGRES_PASSWORD"]}
        for name, value in {**given, **password, "DAGSTER_COMPUTE_LOGS_BUCKET": "logs"}.items():
            monkeypatch.setenv(name, value)
        shutil.copy(CONFIG, tmp_path)
        with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
            yield instance


def test_what_is_stored_is_what_dagster_reads(deployed: dg.DagsterInstance) -> None:
    run = dg.materialize([numbers], instance=deployed, run_config=QUIET)
    storage = deployed.event_log_storage
    assert isinstance(storage, EvaluatedPostgresEventLogStorage)
    stock = PostgresEventLogStorage(storage.postgres_url)
    ours, theirs = (each.get_logs_for_run(run.run_id) for each in (storage, stock))
    assert ours == theirs
    assert [each.dagster_event_type for each in theirs if each.dagster_event].count(EVALUATION) == 1
    (newest,) = stock.get_latest_asset_check_execution_by_key([CHECK.key]).values()
    assert newest.status.value == "SUCCEEDED"


def test_a_check_that_was_not_evaluated_has_no_result(deployed: dg.DagsterInstance) -> None:
    assert dg.materialize([numbers], instance=deployed, run_config=QUIET).success

    @dg.asset(name="numbers", check_specs=[CHECK])
    def broken() -> dg.MaterializeResult:
        raise ValueError

    assert not dg.materialize([broken], instance=deployed, run_config=QUIET, raise_on_error=False).success
    (newest,) = deployed.event_log_storage.get_latest_asset_check_execution_by_key([CHECK.key]).values()
    assert newest.status.value == "SUCCEEDED"


def test_the_records_come_back_from_a_backup(deployed: dg.DagsterInstance, tmp_path: Path) -> None:
    """By the commands of the guide: what came after the backup is gone, and what comes next is recorded."""
    back_up, restore = COMMANDS

    def typed(command: str) -> None:
        path = f"{binaries()}:{os.environ['PATH']}"
        subprocess.run(command, shell=True, cwd=tmp_path, env={**os.environ, "PATH": path}, check=True)

    first = dg.materialize([numbers], instance=deployed, run_config=QUIET)
    before = deployed.event_log_storage.get_logs_for_run(first.run_id)
    typed(back_up)
    lost = dg.materialize([numbers], instance=deployed, run_config=QUIET)
    typed(restore)
    assert [run.run_id for run in deployed.get_runs()] == [first.run_id]
    assert deployed.event_log_storage.get_logs_for_run(first.run_id) == before
    assert deployed.event_log_storage.get_logs_for_run(lost.run_id) == []
    again = dg.materialize([numbers], instance=deployed, run_config=QUIET)
    assert [run.run_id for run in deployed.get_runs()] == [again.run_id, first.run_id]
    (newest,) = deployed.event_log_storage.get_latest_asset_check_execution_by_key([CHECK.key]).values()
    assert newest.run_id == again.run_id
