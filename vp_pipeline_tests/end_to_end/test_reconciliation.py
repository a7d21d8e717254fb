"""fct_price_stats against Keepa's own figures: in the recorded answers, on the sandbox, and where one differs."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from vp_pipeline.sources.keepa.series import KEEPA_EPOCH_MINUTES, SERIES_NAMES
from vp_pipeline.sources.keepa.source import ORACLE
from vp_pipeline_tests.conftest import Pipeline, pipeline_settings

pytestmark = pytest.mark.integration

DAY = date(2026, 6, 1)
WINDOWS = (30, 90, 180, 365)
RECONCILED = dg.AssetKey(["monitoring", "mon_keepa_reconciliation"])
Stats = dict[tuple[str, int, str], dict[str, Any]]


def our_stats(pipeline: Pipeline) -> Stats:
    with pipeline.warehouse.connect(read_only=True) as connection:
        found = connection.execute("select * from mart.fct_price_stats")
        names = [column[0] for column in found.description]
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    return {(row["asin"], row["domain_id"], row["series"]): row for row in rows}


def newest_answers(recordings: Path) -> dict[tuple[str, int, str], tuple[int, int, dict[str, Any]]]:
    """For each series that an answer has: timestamp, index and stats of the newest one that has it."""
    newest: dict[tuple[str, int, str], tuple[int, int, dict[str, Any]]] = {}
    for file in sorted(recordings.glob("*.json")):
        envelope = json.loads(file.read_text(encoding="utf-8"))
        for product in envelope.get("products", []):
            for index, history in enumerate(product["csv"]):
                if not history or not product.get("stats"):
                    continue
                key = (product["asin"], product["domainId"], SERIES_NAMES[index])
                newest[key] = max(newest.get(key, (0, 0, {})), (envelope["timestamp"], index, product["stats"]))
    return newest


def test_every_figure_of_the_recorded_answers_is_ours(recorded: Pipeline, recordings: Path) -> None:
    """Read straight from the files: every product with stats, every series, every window."""
    ours, compared = our_stats(recorded), 0
    for key, (_, index, stats) in newest_answers(recordings).items():
        row = ours[key]
        assert vendors(row["current_value"]) == stats["current"][index], key
        for days in WINDOWS:
            assert abs(vendors(row[f"avg_{days}d"]) - stats[f"avg{days}"][index]) <= 1, (key, days)
            assert (row[f"avg_{days}d"] is None) == (stats[f"avg{days}"][index] == -1), (key, days)
            out_of_stock = stats[f"outOfStockPercentage{days}"][index]
            assert vendors(row[f"out_of_stock_pct_{days}d"]) == out_of_stock, (key, days)
        for name in ("min", "max"):
            assert extreme(row[f"{name}_at"], row[f"{name}_value"]) == stats[name][index], (key, name)
        compared += 3 + 2 * len(WINDOWS)
    assert compared >= 350


def vendors(value: int | None) -> int:
    return -1 if value is None else value


def extreme(at: datetime | None, value: int | None) -> list[int | None] | None:
    if at is None:
        return None
    return [int(at.replace(tzinfo=UTC).timestamp()) // 60 - KEEPA_EPOCH_MINUTES, value]


def test_the_check_reports_how_much_it_compared(recorded: Pipeline, recordings: Path) -> None:
    result = evaluation(recorded)
    assert result.passed
    found = {name: value.value for name, value in result.metadata.items()}
    assert found["entities"] == len({key[:2] for key in newest_answers(recordings)})
    assert found["figures_compared"] >= 350
    assert found["figures_differing"] == 0
    # In both sets one of Keepa's averages is one below the formula.
    assert found["worst_difference"] == 1
    assert recorded.query("select count(*) from monitoring.mon_keepa_reconciliation") == [(found["figures_compared"],)]


def test_the_sandbox_agrees_day_after_day(tmp_path: Path) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        pipeline = Pipeline(pipeline_settings(tmp_path), instance)
        for number in (0, 5):
            report = pipeline.run(DAY + timedelta(days=number))
            assert report.succeeded, report.reasons
        found = {name: value.value for name, value in evaluation(pipeline).metadata.items()}
        assert found["entities"] == 11
        assert found["figures_compared"] > 2_000
        assert found["figures_differing"] == 0


@pytest.mark.parametrize("recordings", ["made_up", pytest.param("real", marks=pytest.mark.exhaustive)], indirect=True)
def test_one_figure_that_differs_is_refused_by_name(recordings: Path, tmp_path: Path) -> None:
    folder = tmp_path / "answers"
    folder.mkdir()
    files = recordings.glob("*.json")
    read = (json.loads(file.read_text(encoding="utf-8")) for file in files)
    answer = next(a for a in read if a.get("products") and a["products"][0]["domainId"] == 5)
    answer["products"][0]["stats"]["avg90"][0] += 2
    (folder / "answer.json").write_text(json.dumps(answer), encoding="utf-8")
    with dg.DagsterInstance.ephemeral() as instance:
        pipeline = Pipeline(pipeline_settings(tmp_path / "data", keepa_recordings=folder), instance)
        report = pipeline.run(DAY)
        assert not report.succeeded
        assert ORACLE.agrees in report.reasons[-1]
        result = evaluation(pipeline)
        assert not result.passed
        assert result.metadata["figures_differing"].value == 1
        assert f"| 5-{answer['products'][0]['asin']} | AMAZON | avg_90d |" in str(
            result.metadata["worst_figures"].value
        )


def test_answers_cut_short_are_not_taken_for_all_of_time(tmp_path: Path) -> None:
    """`days=30` leaves out the extremes of before: they cannot be compared, and a warning names them."""
    with dg.DagsterInstance.ephemeral() as instance:
        pipeline = Pipeline(pipeline_settings(tmp_path, keepa_days=30), instance)
        report = pipeline.run(DAY)
        assert report.succeeded, report.reasons
        assert report.layers["monitoring"].warned == 1
        found = evaluation(pipeline).metadata
        assert found["figures_differing"].value == 0
        assert found["figures_not_comparable"].value > 100
        assert found["figures_compared"].value > 1_000
        assert "our history begins too late" in str(found["worst_figures"].value)
        warned = evaluation(pipeline, ORACLE.has_no_exceptions)
        assert "(our history begins too late)" in str(warned.description)
        windows = pipeline.query(
            "select distinct figure from monitoring.mon_keepa_reconciliation where status = 'not comparable' order by 1"
        )
        # Histories begin with the point before the window, so 30 days are compared.
        assert ("max_value",) in windows
        assert not {("current_value",), ("avg_30d",), ("out_of_stock_pct_30d",)} & set(windows)


def evaluation(pipeline: Pipeline, check: str = ORACLE.agrees) -> dg.AssetCheckEvaluation:
    key = dg.AssetCheckKey(RECONCILED, check)
    (record,) = pipeline.instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
    assert record.event is not None
    assert record.event.dagster_event is not None
    found = record.event.dagster_event.event_specific_data
    assert isinstance(found, dg.AssetCheckEvaluation)
    return found
