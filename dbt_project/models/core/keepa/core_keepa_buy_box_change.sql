{%- set key = ['asin', 'domain_id', 'observed_at'] -%}
{{ config(
    materialized='incremental',
    incremental_strategy='newest_snapshot',
    unique_key=key,
    on_schema_change='fail',
) }}

with
newest as (
    {{ newest_snapshot(source=ref('stg_keepa_buy_box'), key=key, columns=['seller_id']) | indent(4) }}
)

select
    asin,
    domain_id,
    observed_at,
    case when seller_id not in ('-1', '-2') then seller_id end as seller_id,
    case
        when seller_id = '-1' then 'no_offer_qualified'
        when seller_id = '-2' then 'out_of_stock'
        when seller_id is null then 'unreadable'
        else 'won'
    end as buy_box_state,
    seller_id is null as is_unreadable,
    snapshot_at,
    run_date
from newest
