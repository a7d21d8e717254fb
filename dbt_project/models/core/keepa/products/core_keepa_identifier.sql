{%- set key = ['asin', 'domain_id', 'kind', 'value'] -%}
{{ config(
    materialized='incremental',
    incremental_strategy='newest_snapshot',
    unique_key=key,
    on_schema_change='fail',
) }}

with
newest as (
    {{ newest_snapshot(source=ref('stg_keepa_identifier'), key=key, columns=['position']) | indent(4) }}
)

select
    asin,
    domain_id,
    kind,
    value,
    position,
    snapshot_at,
    run_date
from newest
