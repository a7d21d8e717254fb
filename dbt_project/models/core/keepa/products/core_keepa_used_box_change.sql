{%- set key = ['asin', 'domain_id', 'observed_at'] -%}
{{ config(
    materialized='incremental',
    incremental_strategy='newest_snapshot',
    unique_key=key,
    on_schema_change='fail',
) }}

with
newest as (
    {{ newest_snapshot(
        source=ref('stg_keepa_buy_box_used'),
        key=key,
        columns=['is_held', 'seller_id', 'condition', 'is_fba'],
    ) | indent(4) }}
)

select
    asin,
    domain_id,
    observed_at,
    is_held,
    seller_id,
    case condition
        when 2 then 'like_new'
        when 3 then 'very_good'
        when 4 then 'good'
        when 5 then 'acceptable'
    end as offer_condition,
    is_fba,
    is_held is null as is_unreadable,
    snapshot_at,
    run_date
from newest
