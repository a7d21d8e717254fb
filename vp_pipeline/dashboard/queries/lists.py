"""Lists over all products: deals, rank movers, stock-outs, profitability. Each has at most `LISTED` rows."""

import pandas as pd

from vp_pipeline.dashboard.reading import Reader

LISTED = 200


def deals(reader: Reader) -> pd.DataFrame:
    """Series whose price is a deal, the furthest below its average first. Columns: as_of_date, title, asin,
    marketplace_code, series, currency, price, average_90_days, below_average_share, is_new_365_day_low,
    is_new_all_time_low, product_key."""
    return reader.rows(
        "select d.as_of_date, p.title, d.asin, p.marketplace_code, d.series, d.currency, d.price, d.average_90_days, "
        "d.below_average_share, d.is_new_365_day_low, d.is_new_all_time_low, d.product_key "
        "from {mart_deals} as d left join {dim_product} as p on p.product_key = d.product_key "
        f"order by d.below_average_share desc nulls last, d.product_key, d.series limit {LISTED}"
    )


def rank_movers(reader: Reader) -> pd.DataFrame:
    """Products by the change of their main rank over 7 days, the largest gain first; a lower rank is better. Columns:
    as_of_date, title, asin, marketplace_code, category_name, sales_rank, sales_rank_7_days_before,
    places_gained_7_days, rank_change_7_days, places_gained_30_days, product_key."""
    return reader.rows(
        "select m.as_of_date, p.title, m.asin, p.marketplace_code, c.category_name, m.sales_rank, "
        "m.sales_rank_7_days_before, m.places_gained_7_days, m.rank_change_7_days, m.places_gained_30_days, "
        "m.product_key "
        "from {mart_rank_movers} as m left join {dim_product} as p on p.product_key = m.product_key "
        "left join {dim_category} as c on c.domain_id = m.domain_id and c.category_id = m.ranked_category_id "
        "where m.is_main and m.rank_change_7_days is not null "
        f"order by m.rank_change_7_days, m.product_key limit {LISTED}"
    )


def stock_outs(reader: Reader) -> pd.DataFrame:
    """Stock-outs, the open ones first, then the newest. Columns: is_open, title, asin, marketplace_code, series,
    started_at, ended_at (UTC), minutes, currency, price_before, price_after, product_key."""
    return reader.rows(
        "select s.is_open, p.title, s.asin, p.marketplace_code, s.series, s.started_at, s.ended_at, s.minutes, "
        "s.currency, s.price_before, s.price_after, s.product_key "
        "from {mart_stock_outs} as s left join {dim_product} as p on p.product_key = s.product_key "
        f"order by s.is_open desc, s.started_at desc, s.product_key, s.series limit {LISTED}"
    )


def profitability(reader: Reader) -> pd.DataFrame:
    """What is left of each product's present price after Amazon's fees, the largest share first; those without a price
    or a fee last. Columns: snapshot_at (UTC), title, asin, marketplace_code, currency, price, price_series, fba_fee,
    referral_fee, referral_fee_percent, proceeds, proceeds_share, price_includes_tax, sales_rank, product_key."""
    return reader.rows(
        "select m.snapshot_at, p.title, m.asin, m.marketplace_code, m.currency, m.price, m.price_series, m.fba_fee, "
        "m.referral_fee, m.referral_fee_percent, m.proceeds, m.proceeds_share, m.price_includes_tax, m.sales_rank, "
        "m.product_key "
        "from {mart_profitability} as m left join {dim_product} as p on p.product_key = m.product_key "
        f"order by m.proceeds_share desc nulls last, m.product_key limit {LISTED}"
    )


def counts(reader: Reader) -> dict[str, int]:
    """How many products, deals and open stock-outs there are; of what is not published none."""
    found = {}
    for name, table, condition in (
        ("products", "dim_product", "true"),
        ("deals", "mart_deals", "true"),
        ("open stock-outs", "mart_stock_outs", "is_open"),
    ):
        if reader.has(table):
            rows = reader.rows(f"select count(*) as n from {{{table}}} where {condition}")
            found[name] = int(rows["n"].iloc[0])
    return found
