"""What was requested and what came of it, from the request to silver: over HTTP, with the assets materialized."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from vp_pipeline.assets.keys import bronze_key
from vp_pipeline.lake import bronze, silver
from vp_pipeline.partitions import newest_finished_day
from vp_pipeline.settings import PROJECT_ROOT
from vp_pipeline.sources.keepa.source import PRODUCT
from vp_pipeline_tests.conftest import Pipeline, pipeline_settings
from vp_pipeline_tests.recordings.products import NOW, NOW_MS, csv_of, envelope, product
from vp_pipeline_tests.stand_ins.keepa import Json, changed_keepa

pytestmark = pytest.mark.integration

UP_TO_SILVER = "key:airbyte/keepa/product or key:bronze/keepa/product or key:silver/keepa/*"
DAY = newest_finished_day()
STALE_MS = 198 * 86_400_000
CASES = PROJECT_ROOT.parent / "shared" / "data" / "keepa_cases"
CASES_READ = (
    "c02_domain14", "c11b_deals", "c11d_products_empty", "c11e_list_of_products", "c11f_jsonl_or_bom",
    "c13_lowercase_asin", "c18_backordered_future_point",
)  # fmt: skip


def outcome(pipeline: Pipeline, check: str) -> tuple[bool, dg.AssetCheckSeverity, str]:
    """The newest result of a check of bronze: whether it passed, how severe it is, and its text."""
    key = dg.AssetCheckKey(bronze_key(PRODUCT), check)
    (stored,) = pipeline.instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
    assert stored.evaluation is not None
    return stored.evaluation.passed, stored.evaluation.severity, stored.evaluation.description or ""


def products_in_silver(pipeline: Pipeline, day: date) -> set[str]:
    import pyarrow.parquet as pq

    (table,) = [table for table in PRODUCT.tables if table.name == "product"]
    path = pipeline.settings.lake_dir / silver.object_path(table, day)
    return set(pq.read_table(path)["asin"].to_pylist()) if path.exists() else set()


def reasons(pipeline: Pipeline, table: str = "product") -> dict[str, str]:
    """Why what is in quarantine is there, by ASIN."""
    return {
        str(row["entity"]): row["reason"]
        for path, content in pipeline.lake_contents(f"quarantine/keepa/{table}").items()
        for row in map(json.loads, content.splitlines())
    }


def empty(envelope: Json) -> tuple[int, Json]:
    return 200, {**envelope, "products": []}


def refused(envelope: Json) -> tuple[int, Json]:
    error = {"type": "invalidParameter", "message": "this asin is none", "details": "asin"}
    return 400, {**envelope, "products": None, "error": error}


def of_another(envelope: Json) -> tuple[int, Json]:
    return 200, {**envelope, "products": [{**envelope["products"][0], "asin": "B0ANOTHER1"}]}


def stale(envelope: Json) -> tuple[int, Json]:
    return 200, {**envelope, "timestamp": envelope["timestamp"] - STALE_MS}


@pytest.fixture(scope="module")
def odd_vendor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """A day of five products, of which one is answered well; the first is named twice."""
    changes = {"B0SBXUSA02": empty, "B0SBXUSA03": refused, "B0SBXUSA04": of_another, "B0SBXTWO06": stale}
    asins = ["B0SBXUSA01", "1:B0SBXUSA01", *changes]
    with changed_keepa(changes) as keepa, dg.DagsterInstance.ephemeral() as instance:
        folder = tmp_path_factory.mktemp("vendor")
        settings = pipeline_settings(folder, keepa_api_key="k3y", keepa_url=keepa.url, keepa_asins=",".join(asins))
        pipeline = Pipeline(settings, instance)
        assert pipeline.materialize(UP_TO_SILVER, DAY).success
        alone = [request for request in keepa.requested if "," not in request]
        assert sorted(alone) == sorted(["1:B0SBXUSA01", *(f"1:{asin}" for asin in changes)])
        yield pipeline


def test_what_has_no_data_is_named_with_the_reason_and_the_rest_goes_through(odd_vendor: Pipeline) -> None:
    passed, severity, text = outcome(odd_vendor, "completeness")
    assert (passed, severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "5 requested = 2 received + 1 refused + 2 missing. Missing: 1:B0SBXUSA02, 1:B0SBXUSA04." in text
    assert "Refused by the vendor: 1:B0SBXUSA03 (invalidParameter, this asin is none.)." in text
    assert "Received although not requested: 1:B0ANOTHER1." in text
    assert products_in_silver(odd_vendor, DAY) == {"B0SBXUSA01"}


def test_a_response_of_another_product_or_another_day_is_in_quarantine(odd_vendor: Pipeline) -> None:
    found = reasons(odd_vendor)
    assert found["B0ANOTHER1"] == "1:B0SBXUSA04 was requested, and the response has 1:B0ANOTHER1"
    assert f"and responses of the day are of {DAY} 23:45 UTC or later" in found["B0SBXTWO06"]
    passed, severity, text = outcome(odd_vendor, "timeliness")
    assert (passed, severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "1 of 3 responses are not of the day, and so in quarantine: 1:B0SBXTWO06 (" in text
    assert "198 days old)." in text


def test_the_record_of_the_sync_has_what_was_requested(odd_vendor: Pipeline) -> None:
    record = bronze.read_sync(odd_vendor.lake, PRODUCT, DAY)
    assert record is not None
    assert record.request is not None
    assert record.request.entities == tuple(
        f"1:{asin}" for asin in ("B0SBXTWO06", "B0SBXUSA01", "B0SBXUSA02", "B0SBXUSA03", "B0SBXUSA04")
    )
    assert record.request.days == 10_000
    assert record.refused == {"1:B0SBXUSA03": "invalidParameter, this asin is none."}


def test_nothing_or_half_of_it_is_no_day(tmp_path: Path) -> None:
    every = {f"B0SBX{name}": empty for name in ("USA01", "USA02", "USA03", "USA04", "NEW05", "TWO06")}
    others = ("2:B0SBXGBR07", "2:B0SBXGBR08", "3:B0SBXTWO09", "3:B0SBXDEU09", "5:B0SBXJPN10", "5:B0SBXJPN11")
    with changed_keepa(dict(every)) as keepa, dg.DagsterInstance.ephemeral() as instance:
        asins = ",".join([*every, *others])
        settings = pipeline_settings(tmp_path, keepa_api_key="k3y", keepa_url=keepa.url, keepa_asins=asins)
        pipeline = Pipeline(settings, instance)
        assert not pipeline.materialize(UP_TO_SILVER, DAY).success
        passed, severity, text = outcome(pipeline, "completeness")
        assert (passed, severity) == (False, dg.AssetCheckSeverity.ERROR)
        assert "12 requested = 5 received + 1 refused + 6 missing." in text
        assert "--resync" in text
        assert products_in_silver(pipeline, DAY) == set()


def test_a_sync_of_which_everything_is_refused_is_not_used_again(tmp_path: Path) -> None:
    with changed_keepa({"B0SBXUSA01": refused}) as keepa, dg.DagsterInstance.ephemeral() as instance:
        settings = pipeline_settings(tmp_path, keepa_api_key="k3y", keepa_url=keepa.url, keepa_asins="B0SBXUSA01")
        pipeline = Pipeline(settings, instance)
        assert not pipeline.materialize(UP_TO_SILVER, DAY).success
        keepa.changes.clear()
        assert pipeline.materialize(UP_TO_SILVER, DAY).success
        assert outcome(pipeline, "completeness")[0]


@pytest.fixture(scope="module")
def two_days(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """A sandbox that does not know one of the two products."""
    with dg.DagsterInstance.ephemeral() as instance:
        settings = pipeline_settings(tmp_path_factory.mktemp("days"), keepa_asins="B0SBXUSA01,B0UNKNOWN1")
        yield Pipeline(settings, instance)


def test_what_stays_without_data_is_reported_once(two_days: Pipeline) -> None:
    first, second = date(2026, 3, 1), date(2026, 3, 2)
    assert two_days.materialize(UP_TO_SILVER, first).success
    passed, severity, text = outcome(two_days, "completeness")
    assert (passed, severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "Refused by the vendor: 1:B0UNKNOWN1 (invalid)." in text
    assert two_days.materialize(UP_TO_SILVER, second).success
    passed, _, text = outcome(two_days, "completeness")
    assert passed
    assert text.endswith("2 requested = 1 received + 1 refused. Reported before: 1:B0UNKNOWN1 (since 2026-03-01).")
    before = two_days.lake_contents("bronze")
    assert two_days.materialize(UP_TO_SILVER, second).success
    assert two_days.lake_contents("bronze") == before


def test_a_document_of_another_day_is_refused_by_name(two_days: Pipeline) -> None:
    """Copied over as by a restored backup, or by hand."""
    lake, day, other = two_days.lake, date(2026, 3, 10), date(2026, 3, 9)
    assert two_days.materialize(UP_TO_SILVER, other, day).success
    table = PRODUCT.tables[0]
    paths = {
        "record of a sync": (bronze.sync_path(PRODUCT, other), bronze.sync_path(PRODUCT, day)),
        "bronze manifest": (bronze.manifest_path(PRODUCT, other), bronze.manifest_path(PRODUCT, day)),
        "silver manifest": (silver.manifest_path(table, other), silver.manifest_path(table, day)),
    }
    for name, (source, target) in paths.items():
        kept = lake.read(target)
        lake.write(target, lake.read(source))
        # The silver manifest of a day is read by the next one.
        result = two_days.materialize(UP_TO_SILVER, day + timedelta(days=name.startswith("silver")))
        assert not result.success
        messages = " ".join(str(event.event_specific_data) for event in result.all_events if event.is_failure)
        assert f"{target} is the {name} of" in messages
        assert f"day {other}: copied or moved here. Restore it from a backup, or " in messages
        lake.write(target, kept)
    assert two_days.materialize(UP_TO_SILVER, day).success


def made_up_cases() -> dict[str, Any]:
    """What `keepa_cases` has, one file a condition."""

    def alone(asin: str) -> Json:
        found = product(asin, 1, asin, csv_of(36, _1=[NOW - 9000, 1999, NOW - 900, 2099]), stats=None)
        return {**found, "lastUpdate": NOW - 10}

    future = csv_of(36, _8=[NOW - 9000, -1, NOW - 900, 999, NOW + 5000, -1])
    return {
        "c02_domain14": envelope({**alone("B0DOMAIN14"), "domainId": 14}),
        "c11b_deals": {"timestamp": NOW_MS, "deals": {"dr": [{"asin": "B0DEAL0001", "current": [1, 2]}]}},
        "c11d_products_empty": {"timestamp": NOW_MS, "products": []},
        "c11e_list_of_products": [alone("B0LIST0001"), alone("B0LIST0002")],
        "c11f_jsonl_or_bom": envelope(alone("B0BOM00001")),
        "c13_lowercase_asin": envelope(alone("b0lower001")),
        "c18_backordered_future_point": envelope(product("B0FUTURE01", 1, "Later", future, stats=None)),
        "b": envelope(alone("B0HEALTHY1")),
    }


@pytest.fixture(scope="module", params=["made_up", "shared"])
def recorded_cases(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """One day of a folder with a file of each case and a sound one."""
    folder = tmp_path_factory.mktemp(request.param)
    (folder / "cases").mkdir()
    if request.param == "shared":
        if not CASES.is_dir():
            pytest.skip(f"the shared cases are not at {CASES}; the made-up ones are tested instead")
        for name in CASES_READ:
            (folder / "cases" / f"{name}.json").write_bytes((CASES / name / "a.json").read_bytes())
        (folder / "cases" / "b.json").write_bytes((CASES / CASES_READ[0] / "b.json").read_bytes())
    else:
        for name, content in made_up_cases().items():
            mark = b"\xef\xbb\xbf" if "bom" in name else b""
            (folder / "cases" / f"{name}.json").write_bytes(mark + json.dumps(content).encode())
    with dg.DagsterInstance.ephemeral() as instance:
        pipeline = Pipeline(pipeline_settings(folder / "data", keepa_recordings=folder / "cases"), instance)
        assert pipeline.materialize(UP_TO_SILVER, date(2026, 6, 1)).success
        yield pipeline


def test_recordings_of_other_kinds_are_named_and_all_others_are_read(recorded_cases: Pipeline) -> None:
    assert products_in_silver(recorded_cases, date(2026, 6, 1)) == {
        "B0LIST0001", "B0LIST0002", "B0BOM00001", "B0FUTURE01", "B0HEALTHY1",
    }  # fmt: skip
    passed, severity, text = outcome(recorded_cases, "completeness")
    assert (passed, severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "6 requested = 5 received + 1 missing. Missing: 1:B0LOWER001." in text
    assert "Received although not requested: 1:b0lower001." in text
    assert "product 0 cannot be requested: its domainId is 14" in text
    assert "c11b_deals.json is not a recorded Keepa response: it has neither `products` nor a `lastUpdate`." in text
    assert "c11d_products_empty.json is not a recorded Keepa response: it holds no products" in text


def test_a_lower_case_asin_and_a_point_of_the_future_are_in_quarantine(recorded_cases: Pipeline) -> None:
    assert "asin is 'b0lower001': ten of A-Z and 0-9 are allowed" in reasons(recorded_cases)["None"]
    assert "later than snapshot_at" in reasons(recorded_cases, "price")["B0FUTURE01"]


def test_recordings_are_of_no_day_and_that_is_reported(recorded_cases: Pipeline) -> None:
    passed, _, text = outcome(recorded_cases, "timeliness")
    assert passed
    assert "these are recordings, of 2026-" in text
    assert "They are of no day." in text
