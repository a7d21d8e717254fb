"""What the pages show equals what `read` and `vp metrics` return, on DuckDB; and Snowflake can parse each query."""

import dataclasses
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest
import sqlglot

from vp_pipeline.dashboard import reading
from vp_pipeline.dashboard.queries import governed, lists, overview, products, quality, sales, weather
from vp_pipeline.dashboard.reading import Reader
from vp_pipeline.failures import PermanentError, TransientError
from vp_pipeline.published import read
from vp_pipeline.publishing.metrics import MetricQuery, Metrics
from vp_pipeline.settings import Settings
from vp_pipeline_tests.conftest import GreenDays
from vp_pipeline_tests.dashboard.conftest import PRODUCT, reader_of

pytestmark = pytest.mark.integration  # the days before it are built with dbt
LAST = GreenDays.DAYS[1]
FIRST = LAST - timedelta(days=364)
SERIES = ("AMAZON", "NEW")


def same(ours: pd.DataFrame, theirs: pd.DataFrame, columns: list[str]) -> None:
    """The same rows in these columns, in whatever order."""
    frames = [frame[columns].sort_values(columns, ignore_index=True) for frame in (ours, theirs)]
    pd.testing.assert_frame_equal(*frames, check_dtype=False)


def test_prices_are_those_of_the_table(reader: Reader, settings: Settings) -> None:
    found = products.prices(reader, PRODUCT, SERIES, FIRST, LAST)
    theirs = read(
        "fct_price_history_daily",
        settings=settings,
        product_key=PRODUCT,
        series=list(SERIES),
        start=FIRST,
        end=LAST + timedelta(days=1),
    )
    assert len(found) > 300
    same(found, theirs, ["observed_date", "series", "close_price", "low_price", "high_price", "currency"])
    lowest = theirs.groupby("series")["low_price"].min()
    assert dict(zip(products.lows(found)["series"], products.lows(found)["low_price"], strict=True)) == dict(lowest)


def test_the_days_of_a_product_are_those_of_the_table(reader: Reader, settings: Settings) -> None:
    theirs = read("mart_product_daily", settings=settings, product_key=PRODUCT)
    span = products.days(reader, PRODUCT)
    assert span == (theirs["observed_date"].min().date(), theirs["observed_date"].max().date())
    found = products.daily(reader, PRODUCT, *span)
    same(found, theirs, ["observed_date", "sales_rank", "rating", "review_count", "new_offers"])


def test_shares_of_the_buy_box_are_ratios_of_sums(reader: Reader, settings: Settings) -> None:
    found = products.buy_box(reader, PRODUCT, FIRST, LAST)
    days = {"product_key": PRODUCT, "start": FIRST, "end": LAST + timedelta(days=1), "settings": settings}
    won, observed = read("fct_buy_box_seller_daily", **days), read("fct_buy_box_daily", **days)  # type: ignore[arg-type]
    assert found["won_minutes"].sum() == won["won_minutes"].sum() > 0
    minutes = observed.groupby(observed["observed_date"].dt.to_period("W-SUN").dt.start_time)["observed_minutes"].sum()
    weeks = (found["share"] * found["week"].map(minutes)).round()
    assert weeks.tolist() == found["won_minutes"].tolist()
    assert found.groupby("week")["share"].sum().max() <= 1.0000001


def test_lists_are_those_of_the_tables(reader: Reader, settings: Settings) -> None:
    same(lists.deals(reader), read("mart_deals", settings=settings), ["product_key", "series", "price"])
    outs = read("mart_stock_outs", settings=settings).sort_values("started_at", ascending=False)
    found = lists.stock_outs(reader)
    assert len(found) == min(len(outs), lists.LISTED)
    assert found["is_open"].sum() == outs["is_open"].sum() == lists.counts(reader)["open stock-outs"]
    left = read("mart_profitability", settings=settings)
    same(lists.profitability(reader), left, ["product_key", "price", "fba_fee", "referral_fee", "proceeds"])
    movers = read("mart_rank_movers", settings=settings, is_main=True).dropna(subset=["rank_change_7_days"])
    same(lists.rank_movers(reader), movers, ["product_key", "sales_rank", "places_gained_7_days"])


def test_a_product_is_found_by_asin_title_and_brand_in_any_case(reader: Reader, settings: Settings) -> None:
    known = read("dim_product", settings=settings).set_index("product_key").loc[PRODUCT]
    for text in (known["asin"].lower(), known["title"][2:9].upper(), f" {known['brand']} "):
        assert PRODUCT in set(products.search(reader, text)["product_key"]), text
    assert products.search(reader, "%").empty
    assert products.search(reader, "no such product' or 1=1").empty


def test_headlines_are_the_numbers_of_the_metrics(reader: Reader, metrics: Metrics) -> None:
    found = governed.headlines(reader, metrics, LAST)
    assert {"in_stock_rate", "buy_box_share", "average_price"} <= set(found["metric"])
    for row in found.itertuples():
        for value, before in ((row.now, 0), (row.before, 1)):
            first, last = governed.week(LAST, before=before)
            result = metrics.query(reader.marts, MetricQuery((str(row.metric),), first=first, last=last))
            rows = [dict(zip(result.columns, each, strict=True)) for each in result.rows]
            units = {metric.name: governed.unit_column(metric) for metric in metrics.all}
            column = units[str(row.metric)]
            (expected,) = [each[str(row.metric)] for each in rows if column is None or each[column] == row.unit]
            assert value == pytest.approx(expected)


def test_the_state_of_the_pipeline(reader: Reader, odd: Settings) -> None:
    assert [each.state for each in overview.remarks(reader, LAST)] == ["ok"]
    late = overview.remarks(reader, LAST + timedelta(days=1))
    assert late[0].text == f"The newest published day is {LAST}; {LAST + timedelta(days=1)} is over."
    found = {each.state: each.text for each in overview.remarks(reader_of(odd), LAST)}
    assert set(found) == {"late", "excluded", "failed"}
    assert found["failed"].endswith(f"runs failed, the newest for {LAST}.")


def test_quality_is_what_is_recorded(odd: Settings) -> None:
    reader = reader_of(odd)
    days = quality.days(reader)
    assert set(days["layer"]) == set(quality.LAYERS.values())
    assert sorted(days.loc[days["state"] == "no", "layer"]) == ["in the marts", "included"]
    (failing,) = quality.failing_tests(reader).itertuples()
    assert (failing.status, failing.failing_rows) == ("fail", 7)
    assert quality.excluded(reader)["answers"].tolist() == [1]
    results = read("mon_test_result", settings=odd)
    assert quality.test_history(reader)["tests"].sum() == len(results)


def test_a_product_names_what_it_asks_of_its_owner(reader: Reader, settings: Settings) -> None:
    for key in read("dim_product", settings=settings)["product_key"]:
        found = products.attention(reader, key)
        deals = len(read("mart_deals", settings=settings, product_key=key))
        outs = len(read("mart_stock_outs", settings=settings, product_key=key, is_open=True))
        assert sum(text.startswith("Deal: ") for text in found) == deals
        assert sum(text.startswith("Out of stock: ") for text in found) == outs


def test_a_query_is_of_one_build(reader: Reader) -> None:
    with pytest.raises(TransientError, match="read again"):
        reading.fetch(reader.marts, "another build", "select 1", ())
    with pytest.raises(PermanentError, match="No table mart_nothing is published"):
        reader.rows("select * from {mart_nothing}")


class Recorded(Exception):
    """A query's SQL was recorded, and nothing was read."""


def queries(reader: Reader) -> Iterator[Any]:
    """Every query, as a call."""
    day = date(2026, 3, 1)
    yield lambda r: products.search(r, "x")
    yield lambda r: products.series(r, "x")
    yield lambda r: products.days(r, "x")
    yield lambda r: products.prices(r, "x", SERIES, day, day)
    yield lambda r: products.stock_outs(r, "x", SERIES, day, day)
    yield lambda r: products.daily(r, "x", day, day)
    yield lambda r: products.buy_box(r, "x", day, day)
    yield lambda r: products.attention(r, "x")
    yield from (lists.deals, lists.rank_movers, lists.stock_outs, lists.profitability, lists.counts)
    yield from (quality.days, quality.runs, quality.failing_tests, quality.test_history, quality.excluded)
    yield from (quality.late_products, quality.late_assets, quality.slow_models)
    yield lambda r: quality.reconciliation(r, "mon_keepa_reconciliation")
    yield lambda r: quality.differences(r, "mon_keepa_reconciliation", "keepa_value")
    yield sales.products
    yield lambda r: sales.daily(r, "x", day, day)
    yield weather.places
    yield lambda r: weather.daily(r, "x")


def test_snowflake_can_parse_every_query(reader: Reader) -> None:
    """Its engine cannot be had here; its grammar can. Tables of sources that are off are named too."""
    seen: list[str] = []

    def record(marts: object, build: str, sql: str, parameters: reading.Parameters) -> pd.DataFrame:
        seen.append(sql)
        raise Recorded

    tables = ("mart.mart_sales_vs_market", "mart.fct_weather_daily", "mart.dim_location")
    rows = {**reader.publication.rows, **dict.fromkeys(tables, 0)}

    recording = Reader(reader.marts, dataclasses.replace(reader.publication, rows=rows), record)  # type: ignore[arg-type]
    for query in queries(reader):
        with pytest.raises(Recorded):
            query(recording)
    assert len(seen) == len(list(queries(reader)))
    for sql in seen:
        assert sqlglot.parse_one(sql, dialect="snowflake").sql()
