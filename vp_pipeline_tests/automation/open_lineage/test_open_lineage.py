"""Runs as OpenLineage events: real runs of a small job, posted to a receiver that reads them by the specification."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from pydantic import SecretStr

from vp_pipeline.assets.metadata import LINEAGE
from vp_pipeline.automation.open_lineage.receiver import Receiver
from vp_pipeline.automation.open_lineage.run_events import ROWS, SCHEMA, Places
from vp_pipeline.automation.open_lineage.sensor import lineage_sensor
from vp_pipeline.delivery.outbox import Box
from vp_pipeline_tests.scripted_api import serving
from vp_pipeline_tests.stand_ins.lineage_receiver import LineageReceiver

pytestmark = pytest.mark.integration

DAYS = dg.DailyPartitionsDefinition("2026-01-01")
PLACES = Places("vp_pipeline.production", "snowflake://org-account", "s3://lake", "VERACITYPRO")
PRICE, DEALS = dg.AssetKey(["raw", "keepa_price"]), dg.AssetKey(["mart", "mart_deals"])


@dg.asset(key=PRICE, partitions_def=DAYS, backfill_policy=dg.BackfillPolicy.single_run())
def price(context: dg.AssetExecutionContext) -> Iterator[dg.AssetMaterialization | dg.Output[None]]:
    for day in context.partition_keys:
        yield dg.AssetMaterialization(PRICE, partition=day, metadata={ROWS: 10})
    yield dg.Output(None)


@dg.asset(
    key=DEALS,
    deps=[price],
    metadata={
        SCHEMA: dg.TableSchema([dg.TableColumn("price", "decimal(18,2)", "The price.")]),
        LINEAGE: dg.TableColumnLineage({"price": [dg.TableColumnDep(PRICE, "price")]}),
    },
)
def deals(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
    if context.run.tags.get("fails"):
        raise dg.Failure("no deal")
    return dg.MaterializeResult(metadata={ROWS: 3})


DEFINITIONS = dg.Definitions(
    [price, deals],
    jobs=[
        dg.define_asset_job("daily_pipeline", dg.AssetSelection.assets(price), partitions_def=DAYS),
        dg.define_asset_job("marts", dg.AssetSelection.assets(deals)),
    ],
    executor=dg.in_process_executor,
)


@pytest.fixture
def receiver() -> Iterator[LineageReceiver]:
    with serving(LineageReceiver("secret")) as server:
        yield server


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path / "openlineage.jsonl")


Tick = Callable[[], None]


@pytest.fixture
def tick(instance: dg.DagsterInstance, box: Box, receiver: LineageReceiver) -> Tick:
    """One evaluation of the sensor, which has been on before anything happens."""
    sensor = lineage_sensor(Receiver(receiver.url, SecretStr("secret")), box, PLACES)
    cursor: list[str | None] = [None]

    def evaluate() -> None:
        repository = DEFINITIONS.get_repository_def()
        with dg.build_sensor_context(instance, cursor=cursor[0], repository_def=repository) as context:
            try:
                sensor.evaluate_tick(context)
            finally:
                cursor[0] = context.cursor

    evaluate()
    return evaluate


def run(instance: dg.DagsterInstance, job: str, **options: Any) -> dg.ExecuteInProcessResult:
    resolved = DEFINITIONS.resolve_job_def(job)
    return resolved.execute_in_process(instance=instance, raise_on_error=False, **options)


def summary(events: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(event["job"]["name"], event["eventType"]) for event in events]


def test_what_a_run_wrote_and_from_what(instance: dg.DagsterInstance, tick: Tick, receiver: LineageReceiver) -> None:
    ran = run(instance, "marts")
    tick()
    assert receiver.refused == []
    assert summary(receiver.events) == [
        ("marts", "START"),
        ("mart/mart_deals", "START"),
        ("mart/mart_deals", "COMPLETE"),
        ("marts", "COMPLETE"),
    ]
    end = receiver.events[2]
    assert end["run"]["facets"]["parent"]["run"]["runId"] == ran.run_id == receiver.events[0]["run"]["runId"]
    raw = {"namespace": "snowflake://org-account", "name": "VERACITYPRO.RAW.KEEPA_PRICE"}
    assert [{"namespace": i["namespace"], "name": i["name"]} for i in end["inputs"]] == [raw]
    (written,) = end["outputs"]
    assert written["name"] == "VERACITYPRO.MART.MART_DEALS"
    assert written["outputFacets"]["outputStatistics"]["rowCount"] == 3
    fields = written["facets"]["columnLineage"]["fields"]
    assert [{k: i[k] for k in ("namespace", "name", "field")} for i in fields["price"]["inputFields"]] == [
        {**raw, "field": "price"}
    ]
    (column,) = written["facets"]["schema"]["fields"]
    assert (column["name"], column["type"], column["description"]) == ("price", "decimal(18,2)", "The price.")


def test_the_days_of_a_range_are_its_nominal_time(
    instance: dg.DagsterInstance, tick: Tick, receiver: LineageReceiver
) -> None:
    tags = {"dagster/asset_partition_range_start": "2026-03-10", "dagster/asset_partition_range_end": "2026-03-12"}
    run(instance, "daily_pipeline", tags=tags)
    tick()
    end = next(event for event in receiver.events if event["job"]["name"] == "raw/keepa_price" and event["outputs"])
    nominal = end["run"]["facets"]["nominalTime"]
    assert nominal["nominalStartTime"] == "2026-03-10T00:00:00+00:00"
    assert nominal["nominalEndTime"] == "2026-03-13T00:00:00+00:00"
    assert end["outputs"][0]["outputFacets"]["outputStatistics"]["rowCount"] == 30


def test_a_run_that_failed_says_why(instance: dg.DagsterInstance, tick: Tick, receiver: LineageReceiver) -> None:
    run(instance, "marts", tags={"fails": "true"})
    tick()
    assert summary(receiver.events) == [("marts", "START"), ("marts", "FAIL")]
    assert "mart__mart_deals" in receiver.events[-1]["run"]["facets"]["errorMessage"]["message"]


def test_a_run_that_was_not_taken_waits_and_is_posted_again_as_the_same(
    instance: dg.DagsterInstance, tick: Tick, receiver: LineageReceiver, box: Box
) -> None:
    run(instance, "marts")
    receiver.script = [201, 503]
    with pytest.raises(Exception, match=r"Runs that wait in .*: 1\. .*HTTP 503"):
        tick()
    (entry,) = box.entries()
    assert (entry.state, entry.tries) == ("failed", 1)
    with pytest.raises(Exception, match="HTTP 503"):
        tick()  # too early to try again: nothing is posted
    assert len(receiver.events) == 1
    due = replace(entry, not_before=None)
    box.note(due.key, "failed", reason=due.reason)
    tick()
    assert [e.state for e in box.entries()] == ["delivered"]
    assert receiver.events[0]["run"]["runId"] == receiver.events[1]["run"]["runId"]
    assert summary(receiver.events[1:]) == [
        ("marts", "START"),
        ("mart/mart_deals", "START"),
        ("mart/mart_deals", "COMPLETE"),
        ("marts", "COMPLETE"),
    ]
    before = len(receiver.events)
    tick()
    assert len(receiver.events) == before


def test_a_token_that_is_refused_is_in_no_message(instance: dg.DagsterInstance, box: Box) -> None:
    with serving(LineageReceiver("another")) as server:
        sensor = lineage_sensor(Receiver(server.url, SecretStr("hunter2")), box, PLACES)
        repository = DEFINITIONS.get_repository_def()
        with dg.build_sensor_context(instance, repository_def=repository) as context:
            cursor = sensor.evaluate_tick(context).cursor
        run(instance, "marts")
        later = dg.build_sensor_context(instance, cursor=cursor, repository_def=repository)
        with later as context, pytest.raises(Exception, match="HTTP 401") as refused:
            sensor.evaluate_tick(context)
    assert "hunter2" not in str(refused.value)
    assert "hunter2" not in Path(box.location).read_text()


def test_the_receiver_refuses_what_is_not_of_the_specification() -> None:
    import requests

    with serving(LineageReceiver()) as server:
        for body in ({}, {"eventTime": "2026-01-01T00:00:00+00:00", "job": {"name": "x"}}):
            assert requests.post(server.url, json=body, timeout=5).status_code == 400
    assert server.events == []
