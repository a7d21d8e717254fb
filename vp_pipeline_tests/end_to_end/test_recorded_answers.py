"""Recorded answers, made-up and real, from the folder to the marts, against an independent count of their arrays."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from vp_pipeline_tests.conftest import Pipeline
from vp_pipeline_tests.end_to_end.conftest import RECORDED_DAY
from vp_pipeline_tests.recordings.answers import ALONE
from vp_pipeline_tests.recordings.folders import MADE_UP, REAL

pytestmark = pytest.mark.integration

NOT_MONEY = {3: "rank", 15: "offer_count", 16: "review", 17: "review"} | dict.fromkeys(
    (11, 12, 13, 14, 34, 35), "offer_count"
)
TRIPLES = {7, *range(18, 30), 32}
MONEY = {
    0: "AMAZON",
    1: "NEW",
    4: "LISTPRICE",
    8: "LIGHTNING_DEAL",
    18: "BUY_BOX_SHIPPING",
    32: "BUY_BOX_USED_SHIPPING",
    33: "PRIME_EXCL",
}
# The highest price of AMAZON in yen, and in cents of the product named.
HIGHEST_AMAZON = {MADE_UP: (4900, ALONE, 9495), REAL: (3331, "B003QXM58S", 11000)}


def answers(recordings: Path) -> Iterator[dict[str, Any]]:
    for file in sorted(recordings.glob("*.json")):
        content = json.loads(file.read_text(encoding="utf-8"))
        yield from content.get("products", [content])


def test_every_point_of_the_arrays_is_in_silver_and_raw(recorded: Pipeline, recordings: Path) -> None:
    points: Counter[str] = Counter()
    for product in answers(recordings):
        for index, series in enumerate(product["csv"]):
            width = 3 if index in TRIPLES else 2
            points[NOT_MONEY.get(index, "price")] += len(series or []) // width
        points["rank"] += sum(len(series) // 2 for series in (product.get("salesRanks") or {}).values())
        points["buy_box"] += len(product.get("buyBoxSellerIdHistory") or []) // 2
        points["monthly_sold"] += len(product.get("monthlySoldHistory") or []) // 2
        points["product"] += 1
    assert points["price"] > 500
    for table, expected in points.items():
        assert recorded.query(f"select count(*) from raw.keepa_{table}") == [(expected,)], table
        files = f"{recorded.settings.lake_dir}/silver/keepa/{table}/*/*.parquet"
        assert recorded.query(f"select count(*) from read_parquet('{files}')") == [(expected,)], table


def test_yen_are_whole(recorded: Pipeline, recordings: Path) -> None:
    """¥3331 is 3331, in minor units as well as in yen: JPY has no smaller unit."""
    highest_yen, in_dollars, highest_cents = HIGHEST_AMAZON[recordings]
    assert recorded.query(
        "select max(landed_price), any_value(currency) from raw.keepa_price where domain_id = 5 and series = 'AMAZON'"
    ) == [(highest_yen, "JPY")]
    assert recorded.query(
        "select max(high_price_minor), max(high_price), any_value(currency) from mart.fct_price_history_daily "
        "where domain_id = 5 and series = 'AMAZON'"
    ) == [(highest_yen, highest_yen, "JPY")]
    assert recorded.query(
        "select max(high_price_minor), cast(max(high_price) * 100 as integer) from mart.fct_price_history_daily "
        f"where asin = '{in_dollars}' and series = 'AMAZON'"
    ) == [(highest_cents, highest_cents)]


def test_several_answers_end_as_one_product_with_the_later_ones_values(recorded: Pipeline, recordings: Path) -> None:
    """A series, and a point, that the later answer lacks was not asked for: that deletes nothing."""
    products: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    for file in recordings.glob("*.json"):
        envelope = json.loads(file.read_text(encoding="utf-8"))
        for product in envelope.get("products", []):
            products.setdefault(product["asin"], []).append((envelope["timestamp"], product))
    repeated = {asin: sorted(answers, key=lambda a: a[0]) for asin, answers in products.items() if len(answers) > 1}
    absent = 0
    for asin, ((_, one), (newest, two)) in repeated.items():
        assert recorded.query(f"select epoch_ms(snapshot_at), title from mart.dim_product where asin = '{asin}'") == [
            (newest, two["title"])
        ]
        for index, name in MONEY.items():
            points = landed(one["csv"][index], index) | landed(two["csv"][index], index)
            assert changes(recorded, asin, name) == points, (asin, name)
            absent += bool(one["csv"][index]) and two["csv"][index] is None
    assert absent >= 1


def landed(flat: list[int] | None, index: int) -> dict[int, int]:
    """Keepa minute → landed price."""
    if index not in TRIPLES:
        return dict(zip((flat or [])[::2], (flat or [])[1::2], strict=True))
    times, prices, shippings = ((flat or [])[n::3] for n in range(3))
    return {t: p if p < 0 else p + max(s, 0) for t, p, s in zip(times, prices, shippings, strict=True)}


def changes(recorded: Pipeline, asin: str, series: str) -> dict[int, int]:
    """Keepa minute → landed price of one series of a product, -1 where there was no offer."""
    rows = recorded.query(
        "select epoch(observed_at)::bigint // 60 - 21564000, coalesce(landed_price, -1) "
        f"from core.core_keepa_price_change where asin = '{asin}' and series = '{series}'"
    )
    return dict(rows)  # type: ignore[arg-type]


def test_titles_and_times_are_as_keepa_writes_them(recorded: Pipeline, recordings: Path) -> None:
    """Pipes, line breaks, emoji, right to left; listed before 2011. 0 and -1 are unknown."""
    known = {
        (product["asin"], product["title"], None if product["listedSince"] in (0, -1) else product["listedSince"])
        for product in answers(recordings)
    }
    rows = recorded.query("select asin, title, epoch(listed_since)::bigint // 60 - 21564000 from mart.dim_product")
    assert set(rows) <= known
    assert {row[0] for row in rows} == {asin for asin, _, _ in known}


def test_every_category_of_the_ranks_is_in_the_marts_also_without_a_sales_series(
    recorded: Pipeline, recordings: Path
) -> None:
    expected = {
        (product["asin"], int(category)) for product in answers(recordings) for category in product["salesRanks"] or {}
    }
    rows = recorded.query(
        "select distinct asin, category_id from mart.fct_rank_history_daily where series = 'CATEGORY'"
    )
    assert set(rows) == expected
    assert len({asin for asin, _ in expected}) >= 3


def test_how_old_each_product_is_is_in_monitoring(recorded: Pipeline) -> None:
    """Here every product is of the same day, and each as old as its newest answer."""
    assert recorded.query(
        "select product_key, snapshot_at, minutes_behind < 1, days_behind from monitoring.mon_product_freshness"
        " order by minutes_behind, product_key limit 1"
    ) == recorded.query(
        "select product_key, snapshot_at, true, 0 from mart.dim_product order by snapshot_at desc, product_key limit 1"
    )
    assert recorded.query("select count(*), max(days_behind) from monitoring.mon_product_freshness") == recorded.query(
        "select count(*), 0 from mart.dim_product"
    )


def test_nothing_was_quarantined(recorded: Pipeline) -> None:
    assert recorded.lake.list("quarantine") == []


def test_running_the_day_again_changes_nothing(recorded: Pipeline) -> None:
    before, lake = recorded.contents(), recorded.lake_contents()
    report = recorded.run(RECORDED_DAY)
    assert report.succeeded, report.reasons
    assert recorded.contents() == before
    assert recorded.lake_contents() == lake
