{{ config(
    materialized='incremental',
    incremental_strategy='touched_products',
    unique_key=['asin', 'domain_id', 'series', 'category_id', 'observed_date'],
    on_schema_change='fail',
    meta={'touches': ['mart_product_daily', 'mart_rank_movers']},
) }}

with
daily as (
    {{ touched_rows(ref('core_keepa_rank_daily'), since='observed_date') | indent(4) }}
),

products as (
    select * from {{ ref('core_keepa_product') }}
)

select
    {{ product_key('daily') }} as product_key,
    daily.asin,
    daily.domain_id,
    daily.series,
    daily.category_id,
    daily.observed_date,
    case when daily.series = 'SALES' then products.sales_rank_category_id else daily.category_id end
        as ranked_category_id,
    daily.open_rank,
    daily.high_rank,
    daily.low_rank,
    daily.close_rank,
    daily.average_rank,
    daily.rank_minutes,
    daily.ranked_minutes,
    daily.observed_minutes,
    daily.changes
from daily
left join products on daily.asin = products.asin and daily.domain_id = products.domain_id
