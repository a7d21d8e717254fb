"""The storage of `infra/dagster/dagster.yaml` on a real PostgreSQL: what Dagster's own storage stores, and no more."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster_postgres import PostgresEventLogStorage

from vp_pipeline.dagster_internals.storage.postgres import EvaluatedPostgresEventLogStorage
from vp_pipeline.settings import PROJECT_ROOT
from vp_pipeline_tests.dagster_internals.test_sqlite_storage import CHECK, QUIET, numbers
from vp_pipeline_tests.stand_ins.postgres import postgres

pytestmark = pytest.mark.integration
EVALUATION = dg.DagsterEventType.ASSET_CHECK_EVALUATION
CONFIG = PROJECT_ROOT / "infra" / "dagster" / "dagster.yaml"


@pytest.fixture
def deployed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """The instance of the file as it is."""
    with postgres() as server:
        server.new_database("dagster")
        for name, value in {**server.variables("dagster"), "DAGSTER_COMPUTE_LOGS_BUCKET": "logs"}.items():
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
