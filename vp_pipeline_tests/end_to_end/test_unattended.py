"""Whole days that nobody watches, on the daemon's own evaluations, seen at the stand-ins."""

from collections.abc import Iterator

import pytest

from vp_pipeline.sandbox.services.server import Services
from vp_pipeline.sandbox.services.service import Fault
from vp_pipeline_tests.end_to_end.night import Night, a_night

pytestmark = pytest.mark.slow

DAY = "2026-03-10"
RUNNING = ("run_alerts", "slack_delivery")


@pytest.fixture
def services() -> Iterator[Services]:
    with Services() as services:
        yield services


@pytest.fixture
def night(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, services: Services) -> Iterator[Night]:
    with a_night(environment, monkeypatch, services.variables()) as night:
        yield night


def texts(services: Services) -> list[str]:
    return [message["text"] for message in services.slack.messages]


def first_lines(services: Services) -> list[str]:
    return [text.splitlines()[0] for text in texts(services)]


def test_a_day_goes_from_the_landing_to_slack(night: Night, services: Services) -> None:
    night.switch_on("landed_syncs", "run_alerts", "slack_delivery")
    assert night.waiting() == []
    night.airbyte_lands(DAY)
    ticks = night.tick("landed_syncs")
    (run,) = night.waiting()
    assert ticks["landed_syncs"].run_ids == [run.run_id]
    assert (run.job_name, run.tags["dagster/partition"]) == ("landed_pipeline", DAY)
    assert run.tags["dagster/sensor_name"] == "landed_syncs"
    assert run.tags["vp/syncs"].startswith("keepa/product:")
    night.tick("landed_syncs")
    assert len(night.waiting()) == 1  # the same sync requests nothing more

    report = night.execute(run)
    assert report.succeeded, report.reasons
    night.tick(*RUNNING)

    # At the stand-ins: Power BI was refreshed after the publication and before people heard of the day.
    order = [(name, path.rsplit("/", 1)[-1]) for name, path in services.seen]
    assert order.index(("power_bi", "refreshes")) < order.index(("slack", "chat.postMessage"))
    (refresh,) = services.power_bi.refreshes
    assert refresh.status == "Completed"
    assert services.export.batches
    (text,) = texts(services)
    assert text.splitlines()[0] == f"⚠ landed_pipeline succeeded for {DAY}"  # one product of the sandbox is invalid
    assert "tests: " in text
    assert f"/runs/{run.run_id}" in text

    # And the next day nothing of it comes again.
    night.tick(*RUNNING, "landed_syncs")
    assert len(texts(services)) == 1
    assert night.waiting() == []


def test_a_failing_day_is_one_message_with_the_step_and_the_link(night: Night, services: Services) -> None:
    night.switch_on("landed_syncs", *RUNNING)
    night.airbyte_lands(DAY)
    for info in night.lake.list("bronze"):
        if info.path.endswith(".gz"):
            night.lake.write(info.path, night.lake.read(info.path)[:-100])  # truncated since
    night.tick("landed_syncs")
    (run,) = night.waiting()
    assert not night.execute(run).succeeded
    night.tick(*RUNNING)
    night.tick(*RUNNING)
    (text,) = texts(services)
    assert text.splitlines()[0] == f"🔴 landed_pipeline failed for {DAY}"
    assert "First failing step: bronze_keepa_product (check arrival of bronze/keepa/product)" in text
    assert "is truncated or damaged" in text
    assert f"http://localhost:3000/runs/{run.run_id}" in text
    assert services.power_bi.refreshes == []


def test_services_that_are_away_leave_the_data_work_alone_and_get_everything_later_once(
    night: Night, services: Services
) -> None:
    night.switch_on("landed_syncs", *RUNNING, "undelivered")
    for name in ("slack", "login"):
        services.faults[name].plan(Fault(500), times=100)
    services.faults["export"].plan(Fault(429, retry_after=1), times=100)
    night.airbyte_lands(DAY)
    night.tick("landed_syncs")
    (run,) = night.waiting()
    report = night.execute(run)
    assert not report.succeeded
    published = night.instance.get_materialized_partitions(published_key())
    assert set(published) == {DAY}  # the data work is done
    assert all("delivery" in reason or "Microsoft Entra" in reason or "endpoint" in reason for reason in report.reasons)
    ticks = night.tick(*RUNNING)
    delivery = ticks["slack_delivery"]
    assert delivery.status.value == "FAILURE"
    assert delivery.error is not None
    assert "1 messages wait" in str(delivery.error)
    assert texts(services) == []

    for faults in services.faults.values():
        faults.clear()
    hours_pass(night)
    night.tick("undelivered")
    (again,) = night.waiting()
    assert again.job_name == "deliveries"
    assert again.tags["dagster/partition"] == DAY
    assert {key.to_user_string() for key in again.asset_selection or ()} == {"delivery/export", "delivery/power_bi"}
    assert night.execute(again).succeeded
    night.tick(*RUNNING)
    night.tick(*RUNNING, "undelivered")
    assert [r.status for r in services.power_bi.refreshes] == ["Completed"]
    assert first_lines(services) == [f"🔴 landed_pipeline failed for {DAY}"]
    assert "First failing step: delivery_" in texts(services)[0]
    assert len({str(batch) for batch in services.export.batches}) == len(services.export.batches)
    assert night.waiting() == []


def published_key():  # type: ignore[no-untyped-def]
    from vp_pipeline.assets.keys import PUBLISHED

    return PUBLISHED


def hours_pass(night: Night) -> None:
    """As if the outboxes had been written six hours ago."""
    from datetime import datetime, timedelta

    import orjson

    for box in night.settings.outbox_dir.glob("*.jsonl"):
        lines = []
        for line in box.read_bytes().splitlines():
            event = orjson.loads(line)
            for name in ("at", "not_before"):
                if event.get(name):
                    event[name] = (datetime.fromisoformat(event[name]) - timedelta(hours=6)).isoformat()
            lines.append(orjson.dumps(event) + b"\n")
        box.write_bytes(b"".join(lines))
