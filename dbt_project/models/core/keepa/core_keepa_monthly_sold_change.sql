{%- set key = ['asin', 'domain_id', 'observed_at'] -%}
{{ config(
    materialized='incremental',
    incremental_strategy='newest_snapshot',
    unique_key=key,
    on_schema_change='fail',
) }}

with
newest as (
    {{ newest_snapshot(source=ref('stg_keepa_monthly_sold'), key=key, columns=['monthly_sold']) | indent(4) }}
)

select
    asin,
    domain_id,
    observed_at,
    nullif(monthly_sold, -1) as monthly_sold,
    coalesce(monthly_sold <> -1, false) as is_known,
    monthly_sold is null as is_unreadable,
    snapshot_at,
    run_date
from newest
