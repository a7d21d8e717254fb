{%- set key = ['asin', 'domain_id', 'observed_at'] -%}
{{ config(
    materialized='incremental',
    incremental_strategy='newest_snapshot',
    unique_key=key,
    on_schema_change='fail',
) }}

with
newest as (
    {{ newest_snapshot(source=ref('stg_keepa_rank_reference'), key=key, columns=['category_id']) | indent(4) }}
)

select
    asin,
    domain_id,
    observed_at,
    nullif(category_id, -1) as category_id,
    category_id is null as is_unreadable,
    snapshot_at,
    run_date
from newest
