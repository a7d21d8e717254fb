"""The real answers, from the folder to the marts, held against an independent count of their arrays."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from vp_pipeline_tests.conftest import Pipeline, pipeline_settings

DAY = date(2026, 6, 1)
TWICE = "B0D8W1YVBX"
NOT_MONEY = {3: "rank", 15: "offer_count", 16: "review", 17: "review"} | dict.fromkeys(
    (11, 12, 13, 14, 34, 35), "offer_count"
)
TRIPLES = {7, *range(18, 30), 32}


@pytest.fixture(scope="module")
def pipeline(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    settings = pipeline_settings(tmp_path_factory.mktemp("recorded"), recordings=recordings)
    with dg.DagsterInstance.ephemeral() as instance:
        pipeline = Pipeline(settings, instance)
        report = pipeline.run(DAY)
        assert report.succeeded, report.reasons
        yield pipeline


def answers(recordings: Path) -> Iterator[dict[str, Any]]:
    for file in sorted(recordings.glob("*.json")):
        content = json.loads(file.read_text())
        yield from content.get("products", [content])


def test_every_point_of_the_arrays_is_in_silver_and_raw(pipeline: Pipeline, recordings: Path) -> None:
    points: Counter[str] = Counter()
    for product in answers(recordings):
        for index, series in enumerate(product["csv"]):
            width = 3 if index in TRIPLES else 2
            points[NOT_MONEY.get(index, "price")] += len(series or []) // width
        points["rank"] += sum(len(series) // 2 for series in (product.get("salesRanks") or {}).values())
        points["buy_box"] += len(product.get("buyBoxSellerIdHistory") or []) // 2
        points["monthly_sold"] += len(product.get("monthlySoldHistory") or []) // 2
        points["product"] += 1
    assert points["price"] > 1000
    for table, expected in points.items():
        assert pipeline.query(f"select count(*) from raw.keepa_{table}") == [(expected,)], table
        files = f"{pipeline.settings.lake_dir}/silver/keepa/{table}/*/*.parquet"
        assert pipeline.query(f"select count(*) from read_parquet('{files}')") == [(expected,)], table


def test_yen_are_whole(pipeline: Pipeline) -> None:
    """¥3331 is 3331, in minor units as well as in yen: JPY has no smaller unit."""
    assert pipeline.query(
        "select max(landed_price), any_value(currency) from raw.keepa_price where domain_id = 5 and series = 'AMAZON'"
    ) == [(3331, "JPY")]
    assert pipeline.query(
        "select max(high_price_minor), max(high_price), any_value(currency) from mart.fct_price_history_daily "
        "where domain_id = 5 and series = 'AMAZON'"
    ) == [(3331, 3331, "JPY")]
    assert pipeline.query(
        "select max(high_price_minor), max(high_price) from mart.fct_price_history_daily "
        "where asin = 'B003QXM58S' and series = 'AMAZON'"
    ) == [(11000, 110)]


def test_two_answers_end_as_one_product_with_the_later_ones_values(pipeline: Pipeline, recordings: Path) -> None:
    earlier, later = (json.loads(f.read_text()) for f in sorted(recordings.glob(f"cunuo_{TWICE}_*.json")))
    assert earlier["timestamp"] < later["timestamp"]
    assert pipeline.query(f"select count(*) from mart.dim_product where asin = '{TWICE}'") == [(1,)]
    newest = pipeline.query(f"select epoch_ms(snapshot_at) from mart.dim_product where asin = '{TWICE}'")
    assert newest == [(later["timestamp"],)]
    (one,), (two,) = earlier["products"], later["products"]
    for index, name in ((1, "NEW"), (4, "LISTPRICE"), (8, "LIGHTNING_DEAL"), (33, "PRIME_EXCL")):
        points = dict(zip(two["csv"][index][::2], two["csv"][index][1::2], strict=True))
        assert changes(pipeline, name) == points, name
    for index, name in ((18, "BUY_BOX_SHIPPING"), (32, "BUY_BOX_USED_SHIPPING")):
        if not one["csv"][index]:
            continue
        assert two["csv"][index] is None  # the later answer was not asked for it: that deletes nothing
        times, prices, shippings = (one["csv"][index][n::3] for n in range(3))
        landed = {t: p if p < 0 else p + max(s, 0) for t, p, s in zip(times, prices, shippings, strict=True)}
        assert changes(pipeline, name) == landed, name
    assert changes(pipeline, "BUY_BOX_SHIPPING")


def changes(pipeline: Pipeline, series: str) -> dict[int, int]:
    """Keepa minute → landed price of one series of B0D8W1YVBX, -1 where there was no offer."""
    rows = pipeline.query(
        "select epoch(observed_at)::bigint // 60 - 21564000, coalesce(landed_price, -1) "
        f"from core.core_keepa_price_change where asin = '{TWICE}' and series = '{series}'"
    )
    return dict(rows)  # type: ignore[arg-type]


def test_nothing_real_was_quarantined(pipeline: Pipeline) -> None:
    assert pipeline.lake.list("quarantine") == []


def test_running_the_day_again_changes_nothing(pipeline: Pipeline) -> None:
    before, lake = pipeline.contents(), pipeline.lake_contents()
    report = pipeline.run(DAY)
    assert report.succeeded, report.reasons
    assert pipeline.contents() == before
    assert pipeline.lake_contents() == lake
