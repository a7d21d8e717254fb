"""From a Kafka topic to the mart: consumed by a daily run, and by the job that the sensor launches."""

import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import orjson
import pytest

from vp_pipeline.automation.sensors.landed import SETTLING, landed_sensor
from vp_pipeline.automation.topics import topic_sensor
from vp_pipeline.build import build_definitions
from vp_pipeline.lake import bronze
from vp_pipeline.partitions import start_of
from vp_pipeline.sources.order_events.source import ORDER_CHANGES, ORDER_EVENTS
from vp_pipeline.topics.intake import TopicIntake
from vp_pipeline_tests.automation.conftest import freshness_of
from vp_pipeline_tests.conftest import Pipeline, pipeline_settings
from vp_pipeline_tests.sources.order_events.order_messages import POSTAL_CODE, message
from vp_pipeline_tests.stand_ins.kafka import KafkaStandIn, kafka_stand_in

pytestmark = pytest.mark.integration

DAY, TOPIC = date(2026, 3, 10), "order-changes"
STATUSES = {"Pending": "PENDING", "Unshipped": "UNSHIPPED", "Shipped": "SHIPPED", "Canceled": "CANCELLED"}


def at(hour: float) -> datetime:
    return start_of(DAY) + timedelta(hours=hour)


@pytest.fixture
def cluster() -> Iterator[KafkaStandIn]:
    with kafka_stand_in() as found:
        yield found


def changes(sent: list[bytes]) -> list[tuple[str, str, str | None, bool]]:
    """Each order's statuses, counted from the messages by themselves: order, status, status before, is it the last."""
    by_id: dict[str, tuple[str, str, str]] = {}
    for value in sent:
        body = orjson.loads(value)
        change = body["Payload"]["OrderChangeNotification"]
        moment = change["OrderChangeTrigger"]["TimeOfOrderChange"]
        by_id[body["NotificationMetadata"]["NotificationId"]] = (
            change["AmazonOrderId"], moment, STATUSES[change["Summary"]["OrderStatus"]],
        )  # fmt: skip
    found = []
    for order in sorted({order for order, _, _ in by_id.values()}):
        own = [status for each, _, status in sorted(by_id.values()) if each == order]
        for n, status in enumerate(own):
            found.append((order, status, own[n - 1] if n else None, n == len(own) - 1))
    return found


def marts(pipeline: Pipeline) -> list[tuple[Any, ...]]:
    columns = "order_id, order_status, status_before, is_latest"
    return pipeline.query(f"select {columns} from mart.fct_order_event order by order_id, event_number")


def follow_up(pipeline: Pipeline, definitions: dg.Definitions) -> list[dg.RunRequest]:
    """What the sensors launch after the job: the runs are made, and their requests returned."""
    path = pipeline.lake.location(bronze.sync_path(ORDER_CHANGES, DAY))
    settled = (datetime.now(UTC) - 2 * SETTLING).timestamp()
    os.utime(path, (settled, settled))
    repository = definitions.get_repository_def()
    sensor = landed_sensor(pipeline.lake, [ORDER_CHANGES], date(2026, 1, 1), freshness_of(definitions))
    with dg.build_sensor_context(pipeline.instance, repository_def=repository) as context:
        requests = list(sensor.evaluate_tick(context).run_requests or [])
    for request in requests:
        job = definitions.resolve_job_def(sensor.job_name)
        assert request.partition_key is not None
        done = job.execute_in_process(
            instance=pipeline.instance, partition_key=request.partition_key, asset_selection=request.asset_selection
        )
        assert done.success
    return requests


def test_events_reach_the_mart_once_and_late_ones_too(tmp_path: Path, cluster: KafkaStandIn) -> None:
    sent: list[bytes] = []

    def send(value: bytes, hour: float, partition: int) -> None:
        sent.append(value)
        cluster.send(TOPIC, value, at(hour), partition)

    send(message(1, at(1), order=1, status="Pending"), 1, 0)
    send(message(2, at(2), order=2, status="Unshipped"), 2, 1)
    send(message(4, at(4), order=1, status="Shipped"), 4, 1)
    send(message(4, at(4), order=1, status="Shipped"), 5, 0)  # delivered twice
    send(message(3, at(3), order=1, status="Unshipped"), 6, 0)  # notified after the change that followed it
    for bad in (b"not JSON", None, message(9, at(9)).replace(b"AmazonOrderId", b"OrderId")):
        cluster.send(TOPIC, bad, at(7), 1)
    settings = pipeline_settings(
        tmp_path / "data",
        chosen_sources=("order_events",),
        order_events_bootstrap_servers=cluster.servers,
        order_events_topic=TOPIC,
        order_events_security_protocol="PLAINTEXT",
    )
    with dg.DagsterInstance.ephemeral() as instance:
        pipeline = Pipeline(settings, instance)
        report = pipeline.run(DAY)
        assert report.succeeded, report.reasons
        assert marts(pipeline) == changes(sent)
        quarantined = pipeline.lake.read(f"quarantine/order_events/order_change/run_date={DAY}.jsonl").splitlines()
        records = [orjson.loads(orjson.loads(line)["record"]) for line in quarantined]
        assert sorted(record["offset"] for record in records) == [2, 3, 4]
        before = pipeline.contents(("raw", "mart"))
        assert pipeline.run(DAY).succeeded
        assert pipeline.contents(("raw", "mart")) == before

        # Late: five days later something of that day comes, and the sensor sees it.
        definitions, intake = build_definitions(settings), TopicIntake(settings, pipeline.lake)
        sensor = topic_sensor(ORDER_EVENTS, intake)
        assert "nothing new" in str(tick(sensor, pipeline).skip_message)
        send(message(5, at(12), order=2, status="Canceled"), 120, 3)
        (request,) = tick(sensor, pipeline).run_requests or []
        assert request.run_key == "3:0-1"
        consumed = definitions.resolve_job_def(sensor.job_name).execute_in_process(instance=instance)
        assert consumed.success
        assert "nothing new" in str(tick(sensor, pipeline).skip_message)
        (followed,) = follow_up(pipeline, definitions)
        assert followed.partition_key == f"{DAY}"
        assert marts(pipeline) == changes(sent)
        assert follow_up(pipeline, definitions) == []
    assert not any(POSTAL_CODE.encode() in file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())


def tick(sensor: dg.SensorDefinition, pipeline: Pipeline) -> Any:
    with dg.build_sensor_context(pipeline.instance) as context:
        return sensor.evaluate_tick(context)
