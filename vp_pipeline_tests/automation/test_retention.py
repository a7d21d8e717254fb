"""Retention: old things go, and nothing that is needed."""

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pytest

from vp_pipeline.automation.health import health
from vp_pipeline.automation.retention import Retention, retention_job
from vp_pipeline.delivery import change_export
from vp_pipeline.delivery.outbox import Box
from vp_pipeline.lake import bronze
from vp_pipeline.lake.objects import Lake
from vp_pipeline.settings import load_settings
from vp_pipeline.sources.keepa.source import PRODUCT
from vp_pipeline_tests.lake.syncs import record_sync
from vp_pipeline_tests.publishing.marts import publish_mart

NOW = datetime.now(UTC)
LATER = NOW + timedelta(days=100)
DAY = date(2026, 3, 1)
DAYS = dg.DailyPartitionsDefinition("2026-01-01")


@pytest.fixture
def retention(tmp_path: Path) -> Retention:
    box = Box(tmp_path / "outbox" / "slack.jsonl")
    return Retention(load_settings({}, data_dir=tmp_path), Lake(tmp_path / "lake"), [box])


def sync(lake: Lake, job_id: int, *, land: bool = True) -> str:
    """A finished sync of the day, made bronze unless it is still to be landed; its object."""
    import gzip

    path = f"bronze/keepa/product/2026_03_01_{job_id}_0.jsonl.gz"
    lake.write(path, gzip.compress(b"{}\n"))
    record_sync(lake, DAY, [path], job_id=job_id, at=NOW)
    if land:
        bronze.land(lake, PRODUCT, DAY)
    return path


def names(retention: Retention, instance: dg.DagsterInstance, kind: str, now: datetime = LATER) -> list[str]:
    return [item.name for item in retention.removable(instance, now) if item.kind == kind]


def test_superseded_manifests_and_their_objects_go_when_they_are_old(
    retention: Retention, instance: dg.DagsterInstance
) -> None:
    first, second = sync(retention.lake, 1), sync(retention.lake, 2)
    pending = sync(retention.lake, 3, land=False)
    orphan = "bronze/keepa/product/2026_03_01_9_0.jsonl.gz"
    retention.lake.write(orphan, b"of a sync that died")
    superseded = f"bronze/keepa/product/_manifests/superseded/run_date={DAY}_job=1.json"
    assert names(retention, instance, "object", NOW) == []
    assert names(retention, instance, "object") == [first, orphan, superseded]
    before = {info.path for info in retention.lake.list("")}
    retention.remove(instance, lambda _: None, LATER)
    after = {info.path for info in retention.lake.list("")}
    assert before - after == {first, orphan, superseded}
    assert {second, pending} <= after
    bronze.land(retention.lake, PRODUCT, DAY)  # what was still to be landed can be


def test_states_that_earlier_versions_left_beside_exports_go(
    retention: Retention, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    for price in (1, 2, 3):
        rows = pa.table({"asin": ["a"], "price": [price]})
        marts = publish_mart(tmp_path, price, "mart_deals", rows, ["asin"]).marts
        change_export.export(retention.lake, "mart_deals", ["asin"], marts)
    for number in (1, 2):
        retention.lake.write(f"change_exports/mart_deals/_state/00000{number}.parquet", b"x")
    assert names(retention, instance, "object") == [
        "change_exports/mart_deals/_state/000001.parquet",
        "change_exports/mart_deals/_state/000002.parquet",
    ]


def test_half_written_files_go_after_a_day(retention: Retention, instance: dg.DagsterInstance, tmp_path: Path) -> None:
    left = (
        "lake/bronze/keepa/product/.2026_03_01_1_0.jsonl.gz.0f.partial",
        "lease.json.partial",
        "outbox/slack.partial",
    )
    for name in (*left, "lake/bronze/keepa/_origin"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"half")
    assert names(retention, instance, "file", NOW + timedelta(hours=23)) == []
    assert names(retention, instance, "file", NOW + timedelta(hours=25)) == sorted(left)
    retention.remove(instance, lambda _: None, NOW + timedelta(hours=25))
    assert [path.name for path in (tmp_path / "lake").rglob("*") if path.is_file()] == ["_origin"]
    assert not (tmp_path / "lease.json.partial").exists()


def test_messages_go_when_they_are_over(retention: Retention, instance: dg.DagsterInstance) -> None:
    (box,) = retention.boxes
    for key in ("sent", "open"):
        box.put(key, {"text": key}, NOW)
    box.note("sent", "delivered", NOW)
    assert names(retention, instance, "message") == ["slack.jsonl: sent"]
    retention.remove(instance, lambda _: None, LATER)
    assert [entry.key for entry in box.entries()] == ["open"]


@dg.asset(partitions_def=DAYS)
def price() -> None: ...


@dg.asset_check(asset=price)
def plausible(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed="bad" not in context.run.tags)


@dg.op
def nothing() -> None: ...


@dg.job
def by_hand() -> None:
    nothing()


def run(instance: dg.DagsterInstance, day: str, selection: list[object] | None = None, **tags: str) -> str:
    definitions = dg.Definitions([price], asset_checks=[plausible], executor=dg.in_process_executor)
    job = definitions.resolve_implicit_global_asset_job_def()
    return job.execute_in_process(
        instance=instance, partition_key=day, tags=tags, asset_selection=[price.key], raise_on_error=False
    ).run_id


def test_a_run_goes_when_nobody_needs_its_events(retention: Retention, instance: dg.DagsterInstance) -> None:
    useless = by_hand.execute_in_process(instance=instance).run_id
    replaced = run(instance, "2026-03-01")
    current = run(instance, "2026-03-01")
    of_another_day = run(instance, "2026-03-02")
    assert names(retention, instance, "run", NOW) == []
    found = names(retention, instance, "run")
    assert found == [useless, replaced]
    retention.remove(instance, lambda _: None, LATER)
    assert {r.run_id for r in instance.get_runs()} == {current, of_another_day}
    assert set(instance.get_materialized_partitions(price.key)) == {"2026-03-01", "2026-03-02"}


def test_the_job_lists_and_removes_nothing_by_default(retention: Retention, instance: dg.DagsterInstance) -> None:
    sync(retention.lake, 1)
    sync(retention.lake, 2)
    for info in retention.lake.list(""):
        os.utime(retention.lake.location(info.path), (0, 0))
    before = {info.path for info in retention.lake.list("")}
    job = retention_job(retention)
    result = job.execute_in_process(instance=instance)
    assert {info.path for info in retention.lake.list("")} == before
    logged = [e.user_message for e in instance.all_logs(result.run_id)]
    assert any("Eligible for deletion: object bronze/keepa/product/2026_03_01_1_0.jsonl.gz" in text for text in logged)
    job.execute_in_process(
        instance=instance, run_config={"ops": {"remove_what_is_old": {"config": {"dry_run": False}}}}
    )
    assert len(before - {info.path for info in retention.lake.list("")}) == 2


def test_the_health_report_lists_what_is_missing_and_not_delivered(
    retention: Retention, instance: dg.DagsterInstance
) -> None:
    (box,) = retention.boxes
    box.put("run:1:ended", {"text": "x"})
    box.note("run:1:ended", "failed", reason="Slack cannot be reached")
    today = datetime.now(UTC).date()
    run(instance, str(today - timedelta(days=2)))
    fields = health(instance, price.key, retention.lake, retention.boxes)
    assert str(today - timedelta(days=1)) in fields["Days not published"]
    assert str(today - timedelta(days=2)) not in fields["Days not published"]
    assert fields["Not delivered"] == "run:1:ended (Slack cannot be reached)"
    assert fields["Failed checks"] == "none"
