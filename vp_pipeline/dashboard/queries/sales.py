"""The seller's own sales beside the market."""

from datetime import date

import pandas as pd

from vp_pipeline.dashboard.reading import Reader

LISTED = 200


def products(reader: Reader) -> pd.DataFrame:
    """Products that were sold, by units. Columns: product_key, asin, title, marketplace_code, currency, first_day,
    last_day (UTC), orders, units, revenue (in the currency), pending_units."""
    return reader.rows(
        "select s.product_key, s.asin, p.title, s.marketplace_code, s.currency, min(s.observed_date) as first_day, "
        "max(s.observed_date) as last_day, sum(s.orders) as orders, sum(s.units) as units, sum(s.revenue) as revenue, "
        "sum(s.pending_units) as pending_units "
        "from {mart_sales_vs_market} as s left join {dim_product} as p on p.product_key = s.product_key "
        "where s.orders is not null group by s.product_key, s.asin, p.title, s.marketplace_code, s.currency "
        f"having sum(s.orders) > 0 order by units desc, s.product_key limit {LISTED}"
    )


def daily(reader: Reader, product_key: str, first: date, last: date) -> pd.DataFrame:
    """A row per day and currency. Columns: observed_date, currency, units, revenue, average_selling_price,
    buy_box_price, new_price, sales_rank, in_stock_share."""
    return reader.rows(
        "select observed_date, currency, units, revenue, average_selling_price, buy_box_price, new_price, sales_rank, "
        "in_stock_share from {mart_sales_vs_market} "
        "where product_key = ? and observed_date between cast(? as date) and cast(? as date) "
        "order by observed_date, currency",
        product_key,
        f"{first}",
        f"{last}",
    )
