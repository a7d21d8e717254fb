{{ config(
    materialized='incremental',
    incremental_strategy='changed_entities',
    unique_key=['asin', 'domain_id', 'series', 'observed_date'],
    on_schema_change='fail',
) }}

with
daily as (
    {{ changed_rows('core_keepa_price_daily', listens='values', since='observed_date') | indent(4) }}
),

marketplaces as (
    select * from {{ ref('seed_marketplaces') }}
)

select
    {{ product_key('daily') }} as product_key,
    daily.asin,
    daily.domain_id,
    daily.series,
    daily.observed_date,
    daily.currency,
    daily.open_price_minor,
    daily.high_price_minor,
    daily.low_price_minor,
    daily.close_price_minor,
    daily.average_price_minor,
    {{ to_major_units('daily.open_price_minor', 'marketplaces.minor_digits') }} as open_price,
    {{ to_major_units('daily.high_price_minor', 'marketplaces.minor_digits') }} as high_price,
    {{ to_major_units('daily.low_price_minor', 'marketplaces.minor_digits') }} as low_price,
    {{ to_major_units('daily.close_price_minor', 'marketplaces.minor_digits') }} as close_price,
    {{ to_major_units('daily.average_price_minor', 'marketplaces.minor_digits', 4) }} as average_price,
    daily.price_minor_minutes,
    {{ to_major_units('daily.price_minor_minutes', 'marketplaces.minor_digits') }} as price_minutes,
    daily.in_stock_minutes,
    daily.observed_minutes,
    daily.changes
from daily
left join marketplaces on daily.domain_id = marketplaces.domain_id
