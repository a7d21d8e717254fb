{%- set key = ['asin', 'domain_id', 'series', 'observed_at'] -%}
{{ config(
    materialized='incremental',
    incremental_strategy='newest_snapshot',
    unique_key=key,
    on_schema_change='fail',
) }}

with
newest as (
    {{ newest_snapshot(source=ref('stg_keepa_review'), key=key, columns=['value']) | indent(4) }}
)

select
    asin,
    domain_id,
    series,
    observed_at,
    nullif(value, -1) as series_value,
    coalesce(value <> -1, false) as is_known,
    value is null as is_unreadable,
    snapshot_at,
    run_date
from newest
