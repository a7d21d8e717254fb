"""The production rehearsal: production's settings on machines that share nothing but production's services, and SIGKILL
in the middle of a backfill of three days, which a person has launched from the UI.

The days were synced on their evenings, all but the newest; the warehouse is empty. In the end it has what it has after
a run that nobody disturbed.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from vp_pipeline.partitions import ONE_DAY, newest_finished_day
from vp_pipeline.sandbox.services.server import Services
from vp_pipeline.settings import PROJECT_ROOT
from vp_pipeline_tests.conftest import Pipeline, pipeline_settings
from vp_pipeline_tests.contents import ACCOUNTS, differing_tables
from vp_pipeline_tests.dagster_dev import wait_until
from vp_pipeline_tests.end_to_end.test_production import RAW, UP_TO_RAW, reasons, rows_of
from vp_pipeline_tests.soak import kills
from vp_pipeline_tests.stand_ins.deployment import Deployment, deployment, variables_of
from vp_pipeline_tests.stand_ins.postgres import postgres
from vp_pipeline_tests.stand_ins.production import Production, production
from vp_pipeline_tests.stand_ins.run_pods import start

pytestmark = pytest.mark.slow

CONFIG = PROJECT_ROOT / "infra" / "dagster" / "dagster.yaml"
RUN = "run"
# A statement in the middle of each: a later table of a load's transaction, a mart, a publication's clone.
MOMENTS = {
    "load": lambda sent: sent.startswith("copy into") and "keepa_rank" in sent,
    "dbt": lambda sent: "fct_price_history_daily" in sent and sent.lstrip().lower().startswith("create"),
    "publication": lambda sent: " clone mart." in sent,
}
START = """mutation ($selector: SensorSelector!) {startSensor(sensorSelector: $selector) {__typename}}"""
BACKFILL = """query ($id: String!) {partitionBackfillOrError(backfillId: $id) {... on PartitionBackfill {status}}}"""
REPOSITORY = {"repositoryName": "__repository__", "repositoryLocationName": "vp_pipeline"}
SECONDS = 900


@dataclass
class Kill:
    """A fault of the warehouse's stand-in: at the first statement of a moment it calls `act`, once."""

    moment: Callable[[str], bool]
    act: Callable[[], object]
    done: threading.Event

    def __call__(self, statement: str) -> None:
        if self.moment(statement) and not self.done.is_set():
            self.act()
            self.done.set()


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Production, Deployment, Services]]:
    """The deployment, with its alerts switched on, and two of three days in bronze."""
    *before, newest = days()
    with production(tmp_path / "prepared", products=1) as made, postgres() as server, Services() as services:
        for day in before:
            result = made.materialize("key:airbyte/* or key:bronze/*", day)
            assert result.success, reasons(result)
        made.today = newest
        with deployment(made, server, tmp_path / "deployed", **services.variables()) as deployed:
            for name, value in deployed.variables.items():  # this process reads the same records
                if name.startswith(("DAGSTER_", "AWS_")):
                    monkeypatch.setenv(name, value)
            for name in ("run_alerts", "slack_delivery"):
                started = deployed.ask(START, selector={**REPOSITORY, "sensorName": name})
                assert started["startSensor"]["__typename"] == "Sensor", started
            yield made, deployed, services


def days() -> tuple[date, ...]:
    return tuple(newest_finished_day() - n * ONE_DAY for n in (2, 1, 0))


@pytest.mark.parametrize(
    ("moment", "killed"),
    [
        ("dbt", (RUN, "daemon", "code-location")),
        *(
            pytest.param(moment, (machine,), marks=pytest.mark.exhaustive)
            for moment in MOMENTS
            for machine in (RUN, "daemon", "code-location")
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else " and ".join(value),
)
def test_a_backfill_that_is_killed_ends_as_one_that_is_not(
    stage: tuple[Production, Deployment, Services], moment: str, killed: tuple[str, ...], tmp_path: Path
) -> None:
    made, deployed, services = stage
    names = [str(day) for day in days()]
    home = {"DAGSTER_HOME": str(deployed.folder)}

    def kill() -> None:
        for machine in killed:
            deployed.kill("runs" if machine == RUN else machine)

    struck = Kill(MOMENTS[moment], kill, threading.Event())
    made.snowflake.faults.append(struck)
    backfill = kills.launch_backfill(deployed, names)
    wait_until(struck.done.is_set, SECONDS)
    left = {run["runId"] for run in deployed.runs() if run["status"] == "STARTED"}
    assert len(left) == 1
    made.snowflake.abort_detached()
    deployed.start(*(machine for machine in killed if machine != RUN))

    wait_until(lambda: status(deployed, backfill) in ("COMPLETED_SUCCESS", "COMPLETED_FAILED", "COMPLETED"), SECONDS)
    wait_until(lambda: kills.unfinished(home) == [], SECONDS)
    ended = {run["runId"]: run["status"] for run in deployed.runs()}
    (first,) = left
    if RUN in killed:
        assert sorted(ended.values()) == ["FAILURE", "SUCCESS"]
        assert ended[first] == "FAILURE"
    else:
        assert ended == {first: "SUCCESS"}
    # Dagster reads what is materialized before it looks whether the runs have ended: of a run that ends in between, and
    # was started again, it records the backfill as failed although every day is there.
    labels = {"COMPLETED_SUCCESS", "COMPLETED_FAILED"} if RUN in killed else {"COMPLETED_SUCCESS"}
    assert status(deployed, backfill) in labels
    # A run that is started again is no message of its own.
    wait_until(lambda: services.slack.messages, 120)
    (message,) = services.slack.messages
    assert f"Backfill {backfill} ended: completed" in message["text"]
    with dg.DagsterInstance.from_config(home["DAGSTER_HOME"]) as instance:
        for key in (["airbyte", "keepa", "product"], ["raw", "keepa_price"], ["published", "marts"]):
            assert instance.get_materialized_partitions(dg.AssetKey(key)) == set(names), key
    (done,) = (run for run, ended_as in ended.items() if ended_as == "SUCCESS")
    bucket, folder = deployed.variables["DAGSTER_COMPUTE_LOGS_BUCKET"], f"dagster/compute_logs/storage/{done}/"
    assert made.s3.client().list_objects_v2(Bucket=bucket, Prefix=folder)["KeyCount"] > 0
    assert_as_undisturbed(made, tmp_path)


def test_of_two_runs_at_once_the_second_waits_also_of_instances_that_do_not_know_each_other(tmp_path: Path) -> None:
    """Two deployments by mistake, on one warehouse: two machines, and a database of Dagster's for each. Nothing but the
    lease, a row in the warehouse, is common to them."""
    day = str(days()[-1])
    command = ["vp", "run", "--date", day, "--select", UP_TO_RAW]
    names = ("one", "other")
    with production(tmp_path / "prepared", products=1) as made, postgres() as server:
        made.today = days()[-1]
        started = [start(name, command, tmp_path / name, CONFIG, variables_of(made, server, name)) for name in names]
        ended = [run.wait(SECONDS) for run in started]
        printed = [(tmp_path / name / "log").read_text() for name in names]
        assert ended == [0, 0], printed
        assert len([text for text in printed if f"Waiting for vp run of {day}" in text]) == 1, printed
        assert len(made.airbyte.jobs) == 1
        loads = [s for s in made.snowflake.statements if s.startswith("copy into raw.keepa_price ")]
        assert len(loads) == 1  # the second one has found the day as it is
        ((holder,),) = made.snowflake.query("select holder from raw._lease")
        assert holder == ""


def status(deployed: Deployment, backfill: str) -> str:
    return str(deployed.ask(BACKFILL, id=backfill)["partitionBackfillOrError"]["status"])


def assert_as_undisturbed(made: Production, folder: Path) -> None:
    """RAW, what dbt has built, and what consumers read, against a run of the same days on DuckDB."""
    with dg.DagsterInstance.ephemeral() as instance:
        local = Pipeline(pipeline_settings(folder / "undisturbed", keepa_asins=tuple(made.products)), instance)
        report = local.run(*days())
        assert report.succeeded, report.reasons
        for table in RAW:
            assert rows_of(made.snowflake.query, table) == rows_of(local.query, table), table
        assert differing_tables(made.snowflake.query, local.query, leave_out=ACCOUNTS) == {}
    published = set(made.snowflake.tables("published"))
    for table in published & set(made.snowflake.tables("mart")):
        found, expected = (rows(made, f"{schema}.{table}") for schema in ("published", "mart"))
        assert found == expected, table
    ((holder,),) = made.snowflake.query("select holder from raw._lease")
    assert holder == ""
    assert len(made.airbyte.jobs) == len(days())


def rows(made: Production, table: str) -> list[tuple[Any, ...]]:
    return sorted(made.snowflake.query(f"select * from {table}"), key=repr)
