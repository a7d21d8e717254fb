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
        source=ref('stg_keepa_coupon'),
        key=key,
        columns=['one_time', 'subscribe_and_save'],
    ) | indent(4) }}
)

select
    asin,
    domain_id,
    observed_at,
    case when one_time > 0 then one_time end as one_time_amount,
    case when one_time < 0 then -1 * one_time end as one_time_percent,
    case when subscribe_and_save > 0 then subscribe_and_save end as subscribe_and_save_amount,
    case when subscribe_and_save < 0 then -1 * subscribe_and_save end as subscribe_and_save_percent,
    one_time <> 0 or subscribe_and_save <> 0 as is_offered,
    one_time is null as is_unreadable,
    snapshot_at,
    run_date
from newest
