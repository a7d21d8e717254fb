-- Which stock-outs took longest, and did the price rise after them?
-- Columns: product_key, series, started_at, days_out, is_open, price_before, price_after, price_change
select
    product_key,
    series,
    started_at,
    round(minutes / 1440.0, 1) as days_out,
    is_open,
    price_before,
    price_after,
    price_after - price_before as price_change
from mart.mart_stock_outs
qualify row_number() over (partition by product_key order by minutes desc, started_at asc, series asc) <= 3
order by days_out desc, product_key asc, series asc
