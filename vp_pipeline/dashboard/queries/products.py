"""One product: finding it, and its prices, rank, reviews, buy box and stock-outs."""

from datetime import date

import pandas as pd

from vp_pipeline.dashboard.reading import Reader

FOUND = 50
SELLERS = 5
OTHERS = "other sellers"


def search(reader: Reader, text: str) -> pd.DataFrame:
    """Products whose ASIN, title or brand contains `text`, whatever its case; at most `FOUND`, by title. Columns:
    product_key, asin, marketplace_code, currency, title, brand, product_group, snapshot_at (UTC)."""
    return reader.rows(
        "select product_key, asin, marketplace_code, currency, title, brand, product_group, snapshot_at "
        "from {dim_product} "
        "where contains(lower(asin), ?) or contains(lower(coalesce(title, '')), ?) "
        "or contains(lower(coalesce(brand, '')), ?) "
        f"order by title nulls last, product_key limit {FOUND}",
        *(text.strip().lower() for _ in range(3)),
    )


def series(reader: Reader, product_key: str) -> pd.DataFrame:
    """The series of prices that a product has. Columns: series, last_price_day (the last day with a price)."""
    return reader.rows(
        "select series, max(case when close_price is not null then observed_date end) as last_price_day "
        "from {fct_price_history_daily} where product_key = ? group by series "
        "having max(close_price) is not null order by series",
        product_key,
    )


def days(reader: Reader, product_key: str) -> tuple[date, date] | None:
    """The first and the last day of a product's history, UTC; None: it has none."""
    found = reader.rows(
        "select min(observed_date) as first_day, max(observed_date) as last_day "
        "from {mart_product_daily} where product_key = ?",
        product_key,
    )
    first, last = found.iloc[0]
    return None if pd.isna(first) else (first.date(), last.date())


def prices(reader: Reader, product_key: str, names: tuple[str, ...], first: date, last: date) -> pd.DataFrame:
    """Days × series. Columns: observed_date, series, close_price, low_price, high_price (in the currency), currency,
    in_stock_share (of the observed minutes). A day without an offer has no price."""
    if not names:
        names = ("",)
    return reader.rows(
        "select observed_date, series, close_price, low_price, high_price, currency, "
        "case when observed_minutes > 0 then cast(in_stock_minutes as double) / observed_minutes end as in_stock_share "
        "from {fct_price_history_daily} "
        f"where product_key = ? and series in ({', '.join('?' * len(names))}) "
        "and observed_date between cast(? as date) and cast(? as date) order by series, observed_date",
        product_key,
        *names,
        f"{first}",
        f"{last}",
    )


def lows(found: pd.DataFrame) -> pd.DataFrame:
    """Of `prices`: the lowest price of each series and the last day on which it was had."""
    there = found.dropna(subset=["low_price"])
    lowest = there[there["low_price"] == there.groupby("series")["low_price"].transform("min")]
    last: pd.DataFrame = lowest.sort_values("observed_date").drop_duplicates("series", keep="last")
    return last.sort_values("series", ignore_index=True)


def stock_outs(reader: Reader, product_key: str, names: tuple[str, ...], first: date, last: date) -> pd.DataFrame:
    """Stock-outs that touch the days. Columns: series, started_at, ended_at (UTC; missing: it is open), minutes,
    is_open."""
    if not names or not reader.has("mart_stock_outs"):
        return pd.DataFrame(columns=["series", "started_at", "ended_at", "minutes", "is_open"])
    return reader.rows(
        "select series, started_at, ended_at, minutes, is_open from {mart_stock_outs} "
        f"where product_key = ? and series in ({', '.join('?' * len(names))}) "
        "and cast(started_at as date) <= cast(? as date) "
        "and (ended_at is null or cast(ended_at as date) >= cast(? as date)) order by started_at",
        product_key,
        *names,
        f"{last}",
        f"{first}",
    )


def daily(reader: Reader, product_key: str, first: date, last: date) -> pd.DataFrame:
    """A row per day. Columns: observed_date, sales_rank, rating (stars), review_count, new_offers, monthly_sold."""
    return reader.rows(
        "select observed_date, sales_rank, rating, review_count, new_offers, monthly_sold from {mart_product_daily} "
        "where product_key = ? and observed_date between cast(? as date) and cast(? as date) order by observed_date",
        product_key,
        f"{first}",
        f"{last}",
    )


def buy_box(reader: Reader, product_key: str, first: date, last: date) -> pd.DataFrame:
    """Minutes in the buy box by week and seller, as a share of the observed minutes of the week: a ratio of sums. The
    `SELLERS` with the most minutes, the rest as one. Columns: week, seller_id, won_minutes, share."""
    found = reader.rows(
        "select date_trunc('week', observed_date) as week, seller_id, sum(won_minutes) as won_minutes "
        "from {fct_buy_box_seller_daily} "
        "where product_key = ? and observed_date between cast(? as date) and cast(? as date) group by 1, 2",
        product_key,
        f"{first}",
        f"{last}",
    )
    observed = reader.rows(
        "select date_trunc('week', observed_date) as week, sum(observed_minutes) as observed_minutes "
        "from {fct_buy_box_daily} "
        "where product_key = ? and observed_date between cast(? as date) and cast(? as date) group by 1",
        product_key,
        f"{first}",
        f"{last}",
    )
    most = found.groupby("seller_id")["won_minutes"].sum().nlargest(SELLERS).index
    found["seller_id"] = found["seller_id"].where(found["seller_id"].isin(most), OTHERS)
    weeks = found.groupby(["week", "seller_id"], as_index=False)["won_minutes"].sum().merge(observed, on="week")
    weeks["share"] = (weeks["won_minutes"] / weeks["observed_minutes"]).astype("float64")
    ordered: pd.DataFrame = weeks.sort_values(["week", "seller_id"], ignore_index=True)
    return ordered


def attention(reader: Reader, product_key: str) -> list[str]:
    """What a product asks of its owner now, as sentences of plain text; empty: nothing."""
    found = []
    if reader.has("mart_stock_outs"):
        rows = reader.rows(
            "select series, started_at from {mart_stock_outs} where product_key = ? and is_open order by started_at",
            product_key,
        )
        found += [
            f"Out of stock: {row.series}, since {row.started_at:%Y-%m-%d %H:%M} UTC." for row in rows.itertuples()
        ]
    if reader.has("feat_product_daily"):
        rows = reader.rows(
            "select observed_date, has_new_buy_box_winner, buy_box_winner_share from {feat_product_daily} "
            "where product_key = ? order by observed_date desc limit 1",
            product_key,
        )
        for row in rows.itertuples():
            if not pd.isna(row.has_new_buy_box_winner) and row.has_new_buy_box_winner:
                found.append(f"Another seller than the day before has the buy box ({row.observed_date:%Y-%m-%d}).")
    if reader.has("mart_deals"):
        rows = reader.rows(
            "select series, below_average_share, is_new_365_day_low, is_new_all_time_low, as_of_date from {mart_deals} "
            "where product_key = ? order by below_average_share desc",
            product_key,
        )
        for row in rows.itertuples():
            low = "the lowest ever" if row.is_new_all_time_low else "the lowest of 365 days"
            low = f", {low}" if row.is_new_365_day_low or row.is_new_all_time_low else ""
            below = f"{row.below_average_share:.1%} below its average of 90 days"
            found.append(f"Deal: {row.series} is {below}{low} ({row.as_of_date:%Y-%m-%d}).")
    return found
