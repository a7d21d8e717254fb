{%- set key = ['asin', 'domain_id', 'position'] -%}
{{ config(
    materialized='incremental',
    incremental_strategy='newest_snapshot',
    unique_key=key,
    on_schema_change='fail',
) }}

with
newest as (
    {{ newest_snapshot(
        source=ref('stg_keepa_image'),
        key=key,
        columns=['image', 'image_width', 'image_height', 'medium_image', 'medium_width', 'medium_height'],
    ) | indent(4) }}
)

select
    asin,
    domain_id,
    position,
    image,
    image_width,
    image_height,
    medium_image,
    medium_width,
    medium_height,
    snapshot_at,
    run_date
from newest
