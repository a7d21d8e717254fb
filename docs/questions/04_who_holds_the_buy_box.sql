-- Which seller held each product's buy box longest in the last 30 days, and for which share of the time?
-- Columns: product_key, seller_id, won_percent
with recent as (
    select
        fct_buy_box_seller_daily.product_key,
        fct_buy_box_seller_daily.seller_id,
        sum(fct_buy_box_seller_daily.won_minutes) as won_minutes
    from mart.fct_buy_box_seller_daily
    inner join (select max(observed_date) as newest from mart.fct_buy_box_seller_daily) as days
        on fct_buy_box_seller_daily.observed_date > days.newest - 30
    group by fct_buy_box_seller_daily.product_key, fct_buy_box_seller_daily.seller_id
)

select
    product_key,
    seller_id,
    round(100.0 * won_minutes / nullif(sum(won_minutes) over (partition by product_key), 0), 1) as won_percent
from recent
qualify row_number() over (partition by product_key order by won_minutes desc, seller_id asc) = 1
order by product_key
