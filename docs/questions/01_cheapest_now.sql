-- Which products are below their 90-day average today, and by how much?
-- Columns: marketplace_code, asin, title, series, price, currency, average_90_days, below_average_percent, deal_rank
select
    dim_product.marketplace_code,
    mart_deals.asin,
    dim_product.title,
    mart_deals.series,
    mart_deals.price,
    mart_deals.currency,
    mart_deals.average_90_days,
    round(100 * mart_deals.below_average_share, 1) as below_average_percent,
    row_number() over (
        partition by mart_deals.currency
        order by mart_deals.below_average_share desc, mart_deals.product_key asc, mart_deals.series asc
    ) as deal_rank
from mart.mart_deals
inner join mart.dim_product on mart_deals.product_key = dim_product.product_key
where mart_deals.is_below_average
order by mart_deals.currency, deal_rank
