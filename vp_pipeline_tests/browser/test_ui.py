"""What people do in the Dagster UI, done by clicking.

They look at the graph, materialize a day, backfill a range, read why a day is red, and switch the schedule on.
"""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from vp_pipeline.assets.keys import GROUPS
from vp_pipeline.partitions import newest_finished_day
from vp_pipeline_tests.dagster_dev import DagsterDev

pytestmark = pytest.mark.slow
Shoot = Callable[[str], None]

SCHEDULES = """{
  schedulesOrError(repositorySelector: {repositoryName: "__repository__", repositoryLocationName: "vp_pipeline"}) {
    ... on Schedules {results {name scheduleState {status}}}
  }
}"""
EVALUATIONS = """query ($key: AssetKeyInput!, $check: String!) {
  assetCheckExecutions(assetKey: $key, checkName: $check, limit: 20) {
    status evaluation {partition description}
  }
}"""


def test_the_graph_and_the_schedule(ui: DagsterDev, page: Any, shoot: Shoot) -> None:
    page.goto(f"{ui.url}/asset-groups")
    boxes = {group: page.get_by_text(group, exact=True).last for group in dict.fromkeys(GROUPS.values())}
    for box in boxes.values():
        box.wait_for()
    shoot("graph")
    places = [box.bounding_box() for box in boxes.values()]
    assert min(place["height"] for place in places) >= 12, "their names can be read"
    assert [place["x"] for place in places] == sorted(place["x"] for place in places), "groups stand in flow order"

    page.goto(f"{ui.url}/assets/silver/keepa/price")
    for text in ("Grain: one row per product", "data-platform", "Parquet", "landed_price", "daily_pipeline"):
        page.get_by_text(text).first.wait_for()
    shoot("asset_before_any_run")

    page.goto(f"{ui.url}/jobs")
    for job in ("daily_pipeline", "dbt_models", "silver_layer"):
        page.get_by_text(job, exact=True).first.wait_for()
    shoot("jobs")

    page.goto(f"{ui.url}/locations/vp_pipeline/schedules/daily_pipeline_schedule")
    switch = page.locator("input[type=checkbox]").first
    switch.wait_for(state="attached")
    assert not switch.is_checked()
    switch.locator("xpath=..").click()
    page.get_by_text("Next tick").first.wait_for()
    next_tick = datetime.now(UTC) - timedelta(minutes=10) + timedelta(days=1)  # it ticks at 00:10
    page.get_by_text(f"{next_tick:%b} {next_tick.day}").first.wait_for()
    shoot("schedule_on")
    states = {s["name"]: s["scheduleState"]["status"] for s in ui.ask(SCHEDULES)["schedulesOrError"]["results"]}
    assert states["daily_pipeline_schedule"] == "RUNNING"


def test_the_names_in_the_catalog_are_whole_on_a_small_screen(ui: DagsterDev, page: Any, shoot: Shoot) -> None:
    page.set_viewport_size({"width": 1366, "height": 8000})
    page.goto(f"{ui.url}/assets")
    page.get_by_text("mart_deals").first.wait_for()
    shoot("catalog")
    shown = page.locator("a [title*=' / '] > span").evaluate_all(
        "all => all.map(each => [each.parentElement.title, each.textContent])"
    )
    assert len(shown) > 50
    assert [name for name, text in shown if name != text and len(name) <= 38] == []


@pytest.mark.exhaustive
def test_a_day_and_a_range_by_clicking(ui: DagsterDev, page: Any, shoot: Shoot) -> None:
    newest = newest_finished_day()
    _materialize_a_day(ui, page, shoot, newest)
    days = [newest - timedelta(days=n) for n in (4, 3, 2)]
    _materialize_with_a_bad_day(ui, page, shoot, days)
    _read_why_it_is_bad(ui, page, shoot, days)
    assert _materialized(ui, "mart/fct_price_history_daily") == {str(d) for d in (newest, days[0], days[2])}


def _materialize_a_day(ui: DagsterDev, page: Any, shoot: Shoot, day: date) -> None:
    """One partition of everything, and what is seen of it."""
    _open_dialog(ui, page)
    page.get_by_role("button", name="Latest", exact=True).click()
    page.get_by_text("1 partition").first.wait_for()
    shoot("materialize_dialog")
    page.get_by_role("button", name="Launch 1 run").click()
    run = ui.wait_for_run(1)
    assert run["status"] == "SUCCESS"
    assert {"key": "dagster/partition", "value": day.isoformat()} in run["tags"]
    page.goto(f"{ui.url}/runs/{run['runId']}")
    page.get_by_text("Success").first.wait_for()
    shoot("run_of_a_day")
    page.goto(f"{ui.url}/assets/silver/keepa/price")
    page.get_by_text("Latest materialization").wait_for()
    page.get_by_text(day.isoformat()).first.wait_for()
    shoot("asset_after_a_run")
    page.goto(f"{ui.url}/assets/silver/keepa/price?view=events")
    page.get_by_text("records_in").wait_for()
    shoot("metadata_of_a_day")
    page.goto(f"{ui.url}/assets/mart/mart_deals?view=events")
    page.get_by_text("preview").first.wait_for()
    shoot("preview_of_a_mart")


def _materialize_with_a_bad_day(ui: DagsterDev, page: Any, shoot: Shoot, days: list[date]) -> None:
    """Three days, of which the middle one's landed object is damaged."""
    _open_dialog(ui, page, asset="airbyte/keepa/product")
    _select(page, days)
    page.get_by_role("button", name="Launch").last.click()
    assert ui.wait_for_run(2)["status"] == "SUCCESS"
    _damage(ui, days[1])
    _open_dialog(ui, page)
    _select(page, days)
    shoot("backfill_dialog")
    page.get_by_role("button", name="Launch").last.click()
    run = ui.wait_for_run(3)
    assert run["status"] == "FAILURE", "a bad day turns the run red"
    assert len(ui.runs()) == 3, "a range is one run"


def _read_why_it_is_bad(ui: DagsterDev, page: Any, shoot: Shoot, days: list[date]) -> None:
    for key, check in (("bronze/keepa/product", "arrival"), ("silver/keepa/price", "conservation")):
        found = _evaluations(ui, key, check)
        assert found[days[0].isoformat()][0] == found[days[2].isoformat()][0] == "SUCCEEDED"
    status, reason = _evaluations(ui, "bronze/keepa/product", "arrival")[days[1].isoformat()]
    assert status == "FAILED"
    assert "truncated" in reason or "not whole" in reason or "gzip" in reason
    page.goto(f"{ui.url}/assets/bronze/keepa/product?view=checks&checkDetail=execution-history")
    page.get_by_text("arrival").first.wait_for()
    page.get_by_text("Execution history").click()
    page.get_by_text(days[1].isoformat()).first.wait_for()
    shoot("checks_of_a_range")
    page.get_by_text("Partitions", exact=True).last.click()
    for status in ("Passed (3)", "Failed (1)"):  # by day: the newest one was run before
        page.get_by_text(status).first.wait_for()
    shoot("check_by_day")
    page.goto(f"{ui.url}/assets/silver/keepa/price?view=partitions")
    page.get_by_text(days[2].isoformat()).first.wait_for()
    shoot("partitions_of_a_range")
    page.goto(f"{ui.url}/runs/{ui.runs()[0]['runId']}")
    page.get_by_text("1 of 3 days did not go through").first.wait_for()
    page.get_by_text("arrival of bronze/keepa/product").first.wait_for()
    shoot("run_with_a_bad_day")


def _open_dialog(ui: DagsterDev, page: Any, asset: str = "") -> None:
    page.goto(f"{ui.url}/assets/{asset}" if asset else f"{ui.url}/asset-groups")
    page.get_by_role("button", name="Materialize").first.click()
    page.get_by_text("Partition selection").wait_for()


def _select(page: Any, days: list[date]) -> None:
    """Types a range of days into the dialog."""
    field = page.get_by_role("dialog").locator("input[type=text]").first
    field.fill(f"[{days[0]}...{days[-1]}]")
    field.press("Tab")
    page.get_by_text(f"{len(days)} partitions").first.wait_for()


def _damage(ui: DagsterDev, day: date) -> None:
    """Cuts the end off a landed object of the day, as a disk or a network would."""
    folder = ui.data_dir / "lake" / "bronze" / "keepa" / "product"
    sync = json.loads((folder / "_syncs" / f"run_date={day}.json").read_text())
    landed = ui.data_dir / "lake" / sync["objects"][0]
    landed.write_bytes(landed.read_bytes()[:-200])


def _evaluations(ui: DagsterDev, key: str, check: str) -> dict[str, tuple[str, str]]:
    """The newest result of a check on each partition: its status and description."""
    executions = ui.ask(EVALUATIONS, key={"path": key.split("/")}, check=check)["assetCheckExecutions"]
    return {
        e["evaluation"]["partition"]: (e["status"], e["evaluation"]["description"])
        for e in reversed(executions)
        if e["evaluation"]
    }


def _materialized(ui: DagsterDev, key: str) -> set[str]:
    query = "query ($key: AssetKeyInput!) {assetNodeOrError(assetKey: $key) {... on AssetNode {"
    query += "assetMaterializations(limit: 50) {partition}}}}"
    node = ui.ask(query, key={"path": key.split("/")})["assetNodeOrError"]
    return {materialization["partition"] for materialization in node["assetMaterializations"]}
