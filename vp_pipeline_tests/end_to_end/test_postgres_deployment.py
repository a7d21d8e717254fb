"""A deployment by `infra/dagster/dagster.yaml`, on a real PostgreSQL: a day, a backfill that is killed with everything
else, what the daemon makes of it when it is back, and a range from the command line."""

import shutil
from pathlib import Path

import dagster as dg
import pytest

from vp_pipeline.settings import PROJECT_ROOT
from vp_pipeline.warehouse.lease.file import LeaseFile
from vp_pipeline_tests.dagster_dev import dagster_dev, wait_until
from vp_pipeline_tests.soak import kills
from vp_pipeline_tests.stand_ins.postgres import postgres
from vp_pipeline_tests.stand_ins.s3 import KEYS, s3_stand_in

pytestmark = pytest.mark.slow
FIRST, LAST = kills.DAYS
LOGS = "compute-logs"


def test_a_deployment_loses_no_day_and_doubles_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "dagster_dev.log"
    with postgres() as server, s3_stand_in() as s3:
        server.new_database("dagster")
        s3.client().create_bucket(Bucket=LOGS, CreateBucketConfiguration={"LocationConstraint": KEYS["AWS_REGION"]})
        own = kills.environment_in(tmp_path / "own")
        deployed = {**server.variables("dagster"), "DAGSTER_COMPUTE_LOGS_BUCKET": LOGS, "AWS_ENDPOINT_URL": s3.url}
        variables = {**own, **KEYS, **deployed}
        for name, value in deployed.items():  # this process reads the same records
            monkeypatch.setenv(name, value)
        shutil.copy(PROJECT_ROOT / "infra" / "dagster" / "dagster.yaml", own["DAGSTER_HOME"])
        lease = LeaseFile(Path(own["VP_DATA_DIR"]))

        with dagster_dev(variables, log) as dagster:
            run = kills.launch_run(dagster, FIRST)
            wait_until(lambda: {r["runId"]: r["status"] for r in dagster.runs()}[run] == "SUCCESS", 300)
            kills.launch_backfill(dagster)
            wait_until(lambda: (held := lease.current()) and held.run_id != run, 300)
            kills.kill_everything(variables)
        left = kills.left_behind(variables)
        assert len(left) == 1
        with dagster_dev(variables, log) as dagster:
            kills.wait_for_ends(dagster, left)
            wait_until(lambda: not kills.unfinished(variables), 300)
        assert days_of(own) == {FIRST, LAST}

        kills.run_to_the_end(variables)
        assert kills.unfinished(variables) == []
        published = kills.publication_in(variables)
        assert published is not None
        assert tuple(map(str, published.days)) == kills.DAYS
        written = s3.client().list_objects_v2(Bucket=LOGS, Prefix=f"dagster/compute_logs/storage/{run}/")
        assert written["KeyCount"] > 0


def days_of(environment: dict[str, str]) -> set[str]:
    """The days of the publication in Dagster's records."""
    with dg.DagsterInstance.from_config(environment["DAGSTER_HOME"]) as instance:
        return instance.get_materialized_partitions(dg.AssetKey(["published", "marts"]))
