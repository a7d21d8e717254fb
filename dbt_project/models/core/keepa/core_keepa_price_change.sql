{%- set key = ['asin', 'domain_id', 'series', 'observed_at'] -%}
{{ config(
    materialized='incremental',
    incremental_strategy='newest_snapshot',
    unique_key=key,
    on_schema_change='fail',
) }}

with
newest as (
    {{ newest_snapshot(
        source=ref('stg_keepa_price'),
        key=key,
        columns=['price', 'shipping', 'landed_price', 'currency'],
    ) | indent(4) }}
)

select
    asin,
    domain_id,
    series,
    observed_at,
    nullif(price, -1) as price,
    nullif(shipping, -1) as shipping,
    nullif(landed_price, -1) as landed_price,
    price <> -1 as is_in_stock,
    price is null as is_unreadable,
    currency,
    snapshot_at,
    run_date
from newest
