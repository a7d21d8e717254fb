"""Points that cannot be, through the whole pipeline: quarantined, and what they would have ended is unknown."""

import json
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import dagster as dg
import pytest

from vp_pipeline_tests.conftest import Pipeline, pipeline_settings
from vp_pipeline_tests.recordings.products import KEEPA_EPOCH, NOW, NOW_MS, csv_of, envelope, product

pytestmark = pytest.mark.integration

ASIN, CATEGORY = "B0MADEUP21", "900000100"
DAY = 1440
FIRST, SECOND = date(2026, 6, 1), date(2026, 6, 2)
# The Keepa minute at which a day begins, three and two days before the responses.
MIDNIGHT = (NOW + KEEPA_EPOCH) // DAY * DAY - KEEPA_EPOCH
THREE, TWO = MIDNIGHT - 3 * DAY, MIDNIGHT - 2 * DAY
IN_2045 = 17_900_000


def response(middle: int | None, at_ms: int) -> dict[str, Any]:
    """NEW costs 1000, `middle` from noon of the first day on, 3000 from noon of the second; and what cannot be."""
    prices = csv_of(
        36, _1=[THREE, 1000, THREE + DAY // 2, middle, TWO + DAY // 2, 3000], _8=[THREE, 999, NOW + 5000, -1]
    )
    ranks = [THREE, 50, TWO, 40, NOW + 5 * DAY, 30, IN_2045, 0]
    return envelope(
        product(
            ASIN,
            1,
            "Kettle Lid, Tomorrow",
            prices,
            salesRanks={CATEGORY: ranks},
            monthlySoldHistory=[THREE, 100, IN_2045, 200],
            buyBoxSellerIdHistory=[str(THREE), "AMADEUPSELLER1", str(IN_2045), "AMADEUPSELLER9"],
            stats=None,
        ),
        at_ms=at_ms,
    )


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[dict[str, Any], date], Pipeline]]:
    folder = tmp_path_factory.mktemp("impossible")
    (folder / "answers").mkdir()
    with dg.DagsterInstance.ephemeral() as instance:
        pipeline = Pipeline(pipeline_settings(folder / "data", keepa_recordings=folder / "answers"), instance)

        def run(answer: dict[str, Any], day: date) -> Pipeline:
            (folder / "answers" / "a.json").write_text(json.dumps(answer))
            report = pipeline.run(day)
            assert report.succeeded, report.reasons
            return pipeline

        yield run


def by_day(pipeline: Pipeline) -> list[tuple[object, ...]]:
    return pipeline.query(
        "select open_price_minor, close_price_minor, in_stock_minutes, observed_minutes"
        " from mart.fct_price_history_daily where series = 'NEW' order by observed_date limit 2"
    )


def test_what_cannot_be_is_quarantined_and_a_later_response_fills_the_gap(
    play: Callable[[dict[str, Any], date], Pipeline],
) -> None:
    pipeline = play(response(None, NOW_MS), FIRST)
    quarantined = [
        (row["table"], row["reason"].split(":")[0].split(" is ")[0])
        for path in pipeline.lake_contents("quarantine")
        if path.endswith(".jsonl")
        for row in map(json.loads, pipeline.lake.read(path).splitlines())
    ]
    assert sorted(quarantined) == [
        ("buy_box", "observed_at"),
        ("monthly_sold", "observed_at"),
        ("price", "a value of the point"),
        ("price", "observed_at"),
        ("rank", "observed_at"),
        ("rank", "observed_at"),
    ]
    youngest = date(2026, 5, 20)
    for table in ("fct_price_history_daily", "fct_rank_history_daily", "fct_buy_box_daily", "mart_product_daily"):
        assert pipeline.query(f"select max(observed_date) from mart.{table}") == [(youngest,)], table
    assert pipeline.query("select max(as_of_date) from mart.mart_rank_movers") == [(youngest,)]
    assert pipeline.query("select seller_id from mart.dim_seller") == [("AMADEUPSELLER1",)]
    # From noon to noon nothing is known: neither 1000 nor "out of stock".
    assert by_day(pipeline) == [(1000, None, 720, 720), (None, 3000, 720, 720)]
    assert pipeline.query("select count(*) from mart.mart_stock_outs") == [(0,)]
    assert pipeline.query("select current_value from mart.fct_price_stats where series = 'LIGHTNING_DEAL'") == [(999,)]

    healed = play(response(2000, NOW_MS + 60_000), SECOND)
    assert by_day(healed) == [(1000, 2000, 1440, 1440), (2000, 3000, 1440, 1440)]
