{{ config(
    materialized='incremental',
    incremental_strategy='changed_entities',
    unique_key=['asin', 'domain_id', 'observed_date', 'seller_id'],
    on_schema_change='fail',
) }}

with
sellers as (
    {{ changed_rows('core_buy_box_seller_daily', listens='values', since='observed_date') | indent(4) }}
),

daily as (
    {{ changed_rows('core_buy_box_daily', listens='values', since='observed_date') | indent(4) }}
)

select
    {{ product_key('sellers') }} as product_key,
    sellers.asin,
    sellers.domain_id,
    sellers.observed_date,
    sellers.seller_id,
    cast(sellers.won_minutes as double) / nullif(daily.observed_minutes, 0) as won_share,
    sellers.won_minutes,
    daily.observed_minutes
from sellers
inner join daily
    on
        sellers.asin = daily.asin
        and sellers.domain_id = daily.domain_id
        and sellers.observed_date = daily.observed_date
