{%- set key = ['asin', 'domain_id', 'variation_asin'] -%}
{{ config(
    materialized='incremental',
    incremental_strategy='newest_snapshot',
    unique_key=key,
    on_schema_change='fail',
) }}

with
newest as (
    {{ newest_snapshot(
        source=ref('stg_keepa_variation'),
        key=key,
        columns=['position', 'attributes', 'image'],
    ) | indent(4) }}
)

select
    asin,
    domain_id,
    variation_asin,
    position,
    attributes,
    image,
    snapshot_at,
    run_date
from newest
