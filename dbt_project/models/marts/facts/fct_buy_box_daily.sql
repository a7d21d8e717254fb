{{ config(
    materialized='incremental',
    incremental_strategy='changed_entities',
    unique_key=['asin', 'domain_id', 'observed_date'],
    on_schema_change='fail',
) }}

with
daily as (
    {{ changed_rows('core_buy_box_daily', listens='values', since='observed_date') | indent(4) }}
)

select
    {{ product_key('daily') }} as product_key,
    daily.asin,
    daily.domain_id,
    daily.observed_date,
    daily.open_seller_id,
    daily.close_seller_id,
    daily.winner_seller_id,
    cast(daily.winner_minutes as double) / nullif(daily.observed_minutes, 0) as winner_share,
    cast(daily.won_minutes as double) / nullif(daily.observed_minutes, 0) as won_share,
    daily.winner_minutes,
    daily.won_minutes,
    daily.observed_minutes,
    daily.sellers,
    daily.changes
from daily
