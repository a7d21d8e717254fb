{%- set key = ['asin', 'domain_id', 'observed_at'] -%}
{{ config(
    materialized='incremental',
    incremental_strategy='newest_snapshot',
    unique_key=key,
    on_schema_change='fail',
) }}

with
newest as (
    {{ newest_snapshot(source=ref('stg_keepa_parent_asin'), key=key, columns=['parent_asin']) | indent(4) }}
)

select
    asin,
    domain_id,
    observed_at,
    nullif(parent_asin, '-1') as parent_asin,
    parent_asin is null as is_unreadable,
    snapshot_at,
    run_date
from newest
