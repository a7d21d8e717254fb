{%- set key = ['asin', 'domain_id', 'series', 'category_id', 'observed_at'] -%}
{{ config(
    materialized='incremental',
    incremental_strategy='newest_snapshot',
    unique_key=key,
    on_schema_change='fail',
) }}

with
newest as (
    {{ newest_snapshot(source=ref('stg_keepa_rank'), key=key, columns=['sales_rank']) | indent(4) }}
)

select
    asin,
    domain_id,
    series,
    category_id,
    observed_at,
    nullif(sales_rank, -1) as sales_rank,
    sales_rank <> -1 as is_ranked,
    sales_rank is null as is_unreadable,
    snapshot_at,
    run_date
from newest
