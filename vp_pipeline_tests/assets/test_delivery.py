"""Deliveries as assets: when there is something to deliver, what is reported where a service is off, and retries."""

import dataclasses
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pytest

from vp_pipeline.assets import retries
from vp_pipeline.assets.delivery import export_asset, power_bi_asset
from vp_pipeline.assets.keys import EXPORT, POWER_BI
from vp_pipeline.dbt.project import manifest_path
from vp_pipeline.delivery import change_export
from vp_pipeline.delivery.export_endpoint import ExportEndpoint
from vp_pipeline.delivery.outbox import Box
from vp_pipeline.delivery.power_bi import PowerBi, build_power_bi
from vp_pipeline.lake.objects import Lake
from vp_pipeline.partitions import partition_tags
from vp_pipeline.publishing.publication import Publication
from vp_pipeline.publishing.reader import PublishedMarts
from vp_pipeline.sandbox.services.server import Services
from vp_pipeline.sandbox.services.service import Fault
from vp_pipeline.settings import load_settings
from vp_pipeline_tests.publishing.marts import FIRST, publish_mart

PARTITIONS = dg.DailyPartitionsDefinition("2026-01-01")
ONE, TWO, THREE = (date(2026, 3, n) for n in (1, 2, 3))
OFF = PowerBi(None, "http://127.0.0.1:9", "http://127.0.0.1:9")


@dataclasses.dataclass
class Published:
    """What consumers would read."""

    days: tuple[date, ...] = (ONE, TWO)
    content: str = "c1"
    nothing: bool = False

    def current(self) -> Publication | None:
        at = datetime(2026, 3, 3, tzinfo=UTC)
        return (
            None if self.nothing else Publication("b1", "r1", at, {"mart.mart_deals": 1}, self.days, None, self.content)
        )


def publish(folder: Path, day: date, price: int) -> PublishedMarts:
    """A publication with the mart that is exported, which includes the day."""
    rows = pa.table({"product_key": ["a"], "series": ["NEW"], "price": [price]})
    return publish_mart(folder, (day - FIRST).days, "mart_deals", rows, ["product_key", "series"]).marts


@pytest.fixture
def services() -> Iterator[Services]:
    with Services() as services:
        yield services


@pytest.fixture
def power_bi(services: Services, tmp_path: Path) -> PowerBi:
    made = build_power_bi(load_settings(services.variables(), data_dir=tmp_path))
    made._poll_seconds = 0.01
    return made


Deliver = Callable[..., dg.ExecuteInProcessResult]


@pytest.fixture
def deliver(instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Deliver:
    monkeypatch.setattr(retries, "FIRST_WAIT_SECONDS", 0.0)
    manifest = manifest_path(load_settings({}, chosen_sources=("keepa",)))

    def run(key: dg.AssetKey, published: object, *days: date, power_bi: PowerBi = OFF, url: str | None = None):  # type: ignore[no-untyped-def]
        assets = [
            power_bi_asset(Box(tmp_path / "power_bi.jsonl"), [], PARTITIONS),
            export_asset("mart_deals", manifest, Box(tmp_path / "export.jsonl"), [], PARTITIONS),
        ]
        endpoint = ExportEndpoint(url, None, 10, timeout_seconds=1)
        resources = {"marts": published, "power_bi": power_bi, "lake": Lake(tmp_path / "lake"), "endpoint": endpoint}
        definitions = dg.Definitions(assets, resources=resources, executor=dg.in_process_executor)
        return definitions.resolve_implicit_global_asset_job_def().execute_in_process(
            instance=instance, tags=partition_tags(days), asset_selection=[key], raise_on_error=False
        )

    return run


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def summary(result: dg.ExecuteInProcessResult, key: dg.AssetKey) -> str:
    (materialization, *_) = result.asset_materializations_for_node("_".join(key.path))
    return str(materialization.metadata["summary"].value)


def reason(result: dg.ExecuteInProcessResult) -> str:
    (failure,) = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    return failure.user_failure_data.description or "" if failure.user_failure_data else str(failure.error)


def test_the_metadata_reports_that_it_is_off(deliver: Deliver, tmp_path: Path) -> None:
    result = deliver(POWER_BI, Published(), ONE)
    assert result.success
    assert summary(result, POWER_BI).startswith("Power BI is off (VP_POWER_BI_… is not set): nothing was refreshed.")
    (entry,) = Box(tmp_path / "power_bi.jsonl").entries()
    assert entry.state == "kept"
    posting = "posting is off (VP_EXPORT_URL is not set)."
    result = deliver(EXPORT, publish(tmp_path, ONE, 1), ONE)
    assert summary(result, EXPORT) == (f"All 1 rows of mart_deals exported, because it is the first export; {posting}")
    marts = publish(tmp_path, TWO, 2)
    result = deliver(EXPORT, marts, ONE, TWO)
    assert summary(result, EXPORT) == f"1 rows upserted, 0 deleted in mart_deals since the last export; {posting}"
    result = deliver(EXPORT, marts, TWO)
    assert summary(result, EXPORT) == f"No row changed in mart_deals since the last export; {posting}"


def test_one_refresh_for_all_days_and_retries_of_a_publication(
    deliver: Deliver, services: Services, power_bi: PowerBi
) -> None:
    assert deliver(POWER_BI, Published(), ONE, TWO, power_bi=power_bi).success
    assert deliver(POWER_BI, Published(), TWO, power_bi=power_bi).success
    assert len(services.power_bi.refreshes) == 1
    assert deliver(POWER_BI, Published(content="c2"), TWO, power_bi=power_bi).success
    assert len(services.power_bi.refreshes) == 2


def test_a_retry_of_the_step_follows_the_same_refresh(deliver: Deliver, services: Services, power_bi: PowerBi) -> None:
    services.power_bi.looks = 3
    services.faults["power_bi"].plan(Fault(503, only="refreshes/"), times=2)
    result = deliver(POWER_BI, Published(), ONE, power_bi=power_bi)
    assert result.success
    assert len([e for e in result.all_events if e.event_type == dg.DagsterEventType.STEP_UP_FOR_RETRY]) == 2
    (refresh,) = services.power_bi.refreshes
    assert refresh.request_id in summary(result, POWER_BI)


@pytest.mark.parametrize("key", [POWER_BI, EXPORT])
def test_nothing_published_is_refused(
    deliver: Deliver, services: Services, power_bi: PowerBi, key: dg.AssetKey
) -> None:
    result = deliver(key, Published(nothing=True), ONE, power_bi=power_bi)
    assert "Nothing was published yet" in reason(result)
    result = deliver(key, Published(), THREE, power_bi=power_bi)
    assert "the publication does not include 2026-03-03" in reason(result)
    assert services.power_bi.refreshes == []


def test_a_day_that_was_excluded_is_red_alone(deliver: Deliver, instance: dg.DagsterInstance) -> None:
    result = deliver(POWER_BI, Published(), TWO, THREE)
    assert "2026-03-03  delivery/power_bi: The publication does not include 2026-03-03." in reason(result)
    assert set(instance.get_materialized_partitions(POWER_BI)) == {"2026-03-02"}


def test_errors_of_tables_turn_the_step_red(deliver: Deliver, services: Services, power_bi: PowerBi) -> None:
    services.power_bi.table_errors = {"dim_date": "type mismatch in calendar_date"}
    result = deliver(POWER_BI, Published(), ONE, power_bi=power_bi)
    assert "dim_date: type mismatch in calendar_date" in reason(result)


def test_an_endpoint_that_is_away_costs_no_file(deliver: Deliver, services: Services, tmp_path: Path) -> None:
    services.faults["export"].plan(Fault(500), times=50)
    result = deliver(EXPORT, publish(tmp_path, ONE, 1), ONE, url=f"{services.url}/export/rows")
    assert not result.success
    assert len(change_export.manifests(Lake(tmp_path / "lake"), "mart_deals")) == 1
    services.faults["export"].clear()
    assert deliver(EXPORT, publish(tmp_path, TWO, 2), ONE, url=f"{services.url}/export/rows").success
    assert [(b["export"], b["rows"][0]["price"]) for b in services.export.batches] == [(1, 1), (2, 2)]
