"""Bad days, played through the whole pipeline: each ends in a clear error or in the quarantine, never in a figure.

The answers come from a folder of recordings that the test makes from the sandbox's own and damages.
"""

import gzip
import json
import shutil
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import requests

from vp_pipeline.build import build_definitions
from vp_pipeline.cli.local_runs.daily_run import failed_days
from vp_pipeline.cli.report import RunReport
from vp_pipeline.partitions import ONE_DAY
from vp_pipeline.sources.keepa.source import KEEPA, ORACLE
from vp_pipeline_tests.conftest import GreenDays, Pipeline, pipeline_in, pipeline_settings
from vp_pipeline_tests.sandbox.client import KeepaSandbox

pytestmark = pytest.mark.slow

DAY, NEXT = date(2026, 3, 10), date(2026, 3, 11)
GOOD, BAD = "1:B0SBXTWO06", "3:B0SBXTWO06"
Answer = dict[str, Any]


@pytest.fixture(scope="session")
def answers() -> dict[str, Answer]:
    """A sound answer for each of two products."""
    with KeepaSandbox() as sandbox:
        found = {}
        for product in (GOOD, BAD):
            domain, asin = product.split(":")
            params = {"key": "k", "domain": domain, "asin": asin, "stats": "90", "rating": "1"}
            found[product] = requests.get(f"{sandbox.url_as_of(DAY)}/product", params=params, timeout=10).json()
        return found


@pytest.fixture
def play(tmp_path: Path, answers: dict[str, Answer]) -> Iterator[Callable[..., tuple[Pipeline, RunReport]]]:
    """Runs a day on the two answers, the second one damaged by `spoil`."""
    folder = tmp_path / "answers"
    folder.mkdir()
    with dg.DagsterInstance.ephemeral() as instance:
        pipeline = Pipeline(pipeline_settings(tmp_path / "data", keepa_recordings=folder), instance)

        def run(spoil: Callable[[Answer], None], day: date = DAY) -> tuple[Pipeline, RunReport]:
            spoilt = json.loads(json.dumps(answers[BAD]))
            spoil(spoilt)
            (folder / "1.json").write_text(json.dumps(answers[GOOD]))
            (folder / "2.json").write_text(json.dumps(spoilt))
            return pipeline, pipeline.run(day)

        yield run


@pytest.fixture
def good(green_days: GreenDays, tmp_path: Path, answers: dict[str, Answer]) -> Iterator[Pipeline]:
    """A pipeline that has run the day on the two answers."""

    def make(folder: Path) -> None:
        recordings = folder / "answers"
        recordings.mkdir()
        for number, product in enumerate((GOOD, BAD), start=1):
            (recordings / f"{number}.json").write_text(json.dumps(answers[product]))
        with pipeline_in(folder, Pipeline, keepa_recordings=recordings) as pipeline:
            report = pipeline.run(DAY)
            assert report.succeeded, report.reasons

    shutil.copytree(green_days.made_once("good_answers", make), tmp_path, dirs_exist_ok=True)
    with pipeline_in(tmp_path, Pipeline, keepa_recordings=tmp_path / "answers") as pipeline:
        yield pipeline


def quarantined(pipeline: Pipeline, table: str, day: date = DAY) -> list[dict[str, Any]]:
    path = f"quarantine/keepa/{table}/run_date={day}.jsonl"
    return [json.loads(line) for line in pipeline.lake.read(path).splitlines()]


def worst_figures(pipeline: Pipeline) -> str:
    check = dg.AssetCheckKey(dg.AssetKey(["monitoring", "mon_keepa_reconciliation"]), ORACLE.agrees)
    (record,) = pipeline.instance.event_log_storage.get_asset_check_execution_history(check, limit=1)
    assert record.evaluation is not None
    return str(record.evaluation.metadata["worst_figures"].value)


def product_of(answer: Answer) -> Answer:
    return answer["products"][0]


def test_a_csv_that_is_no_list_is_quarantined_and_the_other_product_goes_on(play: Any) -> None:
    pipeline, report = play(lambda a: product_of(a).update(csv="not a list"))
    assert report.succeeded, report.reasons
    (row,) = quarantined(pipeline, "product")
    assert row["reason"] == "csv is not a list but text"
    assert row["entity"] == "B0SBXTWO06"
    assert pipeline.query("select distinct domain_id from mart.fct_price_history_daily") == [(1,)]


def test_a_day_of_errors_is_no_day(good: Pipeline) -> None:
    """The other product is invalid too: not one row comes of the day's answers."""
    pipeline = good
    before = pipeline.contents()
    for file in pipeline.settings.of(KEEPA).recordings.glob("*.json"):  # type: ignore[union-attr]
        answer = json.loads(file.read_text())
        answer["products"] = [{"asin": product_of(answer)["asin"], "domainId": 1, "productType": 4, "csv": None}]
        file.write_text(json.dumps(answer))
    report = pipeline.run(NEXT)
    assert not report.succeeded
    assert "1 requested = 0 received + 1 refused. Refused by the vendor: 1:B0SBXTWO06 (invalid)." in report.reasons[-1]
    assert "Nothing was received." in report.reasons[-1]
    assert pipeline.contents() == before


@pytest.mark.exhaustive
def test_a_bad_day_between_good_ones_stays_as_it_is(play: Any) -> None:
    """It has RAW of an earlier run, and its bronze is damaged since: the range leaves it as it is, everywhere."""
    pipeline, report = play(lambda a: None, day=NEXT)
    assert report.succeeded
    of_day = f"select * from core.core_keepa_price_change where domain_id = 3 and run_date = '{NEXT}' order by all"
    before = pipeline.query(of_day)
    assert before
    (landed,) = [info.path for info in pipeline.lake.list("bronze") if info.path.endswith(".gz")]
    pipeline.lake.write(landed, b"damaged")
    for file in sorted(pipeline.settings.of(KEEPA).recordings.glob("*.json"))[1:]:  # type: ignore[union-attr]
        file.unlink()  # on its neighbours only the other product is in the answer
    # The day itself keeps the sync that it has: its answers were others.
    assert not pipeline.materialize("key:bronze/*", NEXT).success
    after = NEXT + ONE_DAY
    assert pipeline.materialize("key:airbyte/* or key:bronze/* or key:silver/* or key:raw/*", DAY).success
    assert pipeline.materialize("key:airbyte/* or key:bronze/* or key:silver/* or key:raw/*", after).success

    run = pipeline.materialize("key:stg/* or key:core/* or key:mart/*", DAY, NEXT, after)
    assert not run.success
    mart = dg.AssetKey(["mart", "fct_price_history_daily"])
    newest = pipeline.instance.fetch_materializations(mart, limit=2).records
    assert {record.partition_key for record in newest} == {str(DAY), str(after)}
    assert pipeline.query(of_day) == before
    # It alone is what `vp run --failed` would run again.
    definitions = build_definitions(pipeline.settings)
    assert failed_days(pipeline.instance, definitions, [DAY - ONE_DAY, DAY, NEXT, after]) == [NEXT]


def test_a_negative_price_is_quarantined_and_no_number(play: Any) -> None:
    def spoil(answer: Answer) -> None:
        product_of(answer)["csv"][1][-1] = -5

    pipeline, report = play(spoil)
    (row,) = quarantined(pipeline, "price")
    assert "-5" in row["reason"]
    assert "at least -1" in row["reason"]
    # Since then the price is unknown: of this series alone figures cannot be compared with Keepa's.
    assert report.succeeded, report.reasons
    assert report.layers["monitoring"].warned == 1
    found = worst_figures(pipeline).splitlines()[2:]
    assert found
    assert all("| 3-B0SBXTWO06 | NEW |" in row and "a part of our history is unreadable" in row for row in found)
    assert pipeline.query("select min(price) from raw.keepa_price where price <> -1")[0][0] > 0  # type: ignore[operator]
    assert pipeline.query("select count(*) from mart.fct_price_history_daily where low_price_minor < 0") == [(0,)]


@pytest.mark.exhaustive
def test_a_damaged_bronze_object_stops_the_day_and_changes_nothing(good: Pipeline) -> None:
    pipeline = good
    (landed,) = [info.path for info in pipeline.lake.list("bronze") if info.path.endswith(".gz")]
    whole = pipeline.lake.read(landed)
    before, silver = pipeline.contents(), pipeline.lake_contents("silver")

    pipeline.lake.write(landed, whole[: len(whole) // 2])
    report = pipeline.run(DAY)
    assert not report.succeeded
    assert f"The object {landed} has " in report.reasons[-1]
    assert "--resync" in report.reasons[-1]
    assert pipeline.contents() == before
    assert pipeline.lake_contents("silver") == silver

    # The next layers on their own refuse the day as well, and its neighbour continues.
    for selection in ("key:silver/*", "key:raw/*", "key:stg/* or key:core/* or key:mart/*"):
        assert not pipeline.materialize(selection, DAY).success, selection
    assert pipeline.contents() == before
    assert pipeline.run(NEXT).succeeded

    report = pipeline.run(DAY, resync=True)
    assert report.succeeded, report.reasons
    assert pipeline.run(NEXT).succeeded


def test_a_truncated_object_of_a_fresh_sync_makes_no_partition(good: Pipeline) -> None:
    pipeline = good
    assert pipeline.materialize("key:airbyte/*", NEXT).success
    newest = max(info.path for info in pipeline.lake.list("bronze") if info.path.endswith(".gz"))
    pipeline.lake.write(newest, pipeline.lake.read(newest)[:-9])
    before = pipeline.contents()
    report = pipeline.run(NEXT)
    assert not report.succeeded
    assert "is truncated or damaged" in report.reasons[-1]
    assert not pipeline.lake.exists(f"bronze/keepa/product/_manifests/run_date={NEXT}.json")
    assert pipeline.contents() == before


def test_a_half_written_sync_is_never_read(good: Pipeline, answers: dict[str, Answer]) -> None:
    """A sync that died leaves objects, and no manifest lists them."""
    pipeline = good
    line = json.dumps({"_airbyte_extracted_at": 0, "_airbyte_meta": {}, "_airbyte_data": answers[BAD]}).encode()
    pipeline.lake.write("bronze/keepa/product/2026_03_12_1773300000000_0.jsonl.gz", gzip.compress(line + b"\n"))
    assert not pipeline.materialize("key:silver/*", NEXT).success
    assert pipeline.query("select distinct _run_date from raw.keepa_product") == [(DAY,)]
    before = pipeline.contents()
    assert pipeline.run(DAY).succeeded
    assert pipeline.contents() == before


def test_a_rejected_key_stops_the_sync_and_is_not_shown(tmp_path: Path) -> None:
    """402 from the API itself, over a socket; with the real client and the secret in the query string."""
    from vp_pipeline.partitions import newest_finished_day

    with KeepaSandbox() as vendor, dg.DagsterInstance.ephemeral() as instance:
        settings = pipeline_settings(tmp_path, keepa_api_key="unpaid", keepa_url=vendor.url, keepa_asins="B0SBXTWO06")
        pipeline = Pipeline(settings, instance)
        report = pipeline.run(newest_finished_day())
        assert not report.succeeded
        assert "402" in report.reasons[-1]
        assert not settings.warehouse_path.exists()
        events = "".join(str(record) for run in instance.get_runs() for record in instance.all_logs(run.run_id))
        assert "unpaid" not in events + "".join(report.reasons)


def test_the_real_api_is_asked_for_the_newest_finished_day_only(tmp_path: Path) -> None:
    """With a key the requests go to VP_KEEPA_URL; here a server that keeps its clock at the present, as Keepa does."""
    from vp_pipeline.partitions import newest_finished_day

    newest = newest_finished_day()
    with KeepaSandbox() as vendor, dg.DagsterInstance.ephemeral() as instance:
        settings = pipeline_settings(
            tmp_path, keepa_api_key="a/secret+key", keepa_url=vendor.url, keepa_asins="B0SBXTWO06"
        )
        pipeline = Pipeline(settings, instance)
        older = pipeline.run(newest - ONE_DAY)
        assert not older.succeeded
        assert f"but not for {newest - ONE_DAY}, and that day has no bronze" in older.reasons[-1]
        assert pipeline.lake.list("") == []

        assert pipeline.run(newest).succeeded
        ((snapshot,),) = pipeline.query("select max(snapshot_at) from mart.dim_product")
        assert snapshot.date() == newest + ONE_DAY  # type: ignore[union-attr]  # today's response has its own moment
        stored = "".join(str(record) for run in instance.get_runs() for record in instance.all_logs(run.run_id))
        files = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
        for secret in ("a/secret+key", "a%2Fsecret%2Bkey"):
            assert secret not in stored
            assert secret.encode() not in files

        # Made-up products must not meet the real ones.
        sandboxed = Pipeline(pipeline_settings(tmp_path), instance).run(newest)
        assert not sandboxed.succeeded
        assert "VP_DATA_DIR" in sandboxed.reasons[-1]
