{%- set key = ['asin', 'domain_id'] -%}
{{ config(
    materialized='incremental',
    incremental_strategy='newest_snapshot',
    unique_key=key,
    on_schema_change='fail',
) }}

with
newest as (
    {{ newest_snapshot(
        source=ref('stg_keepa_product'),
        key=key,
        columns=[
            'product_type',
            'title',
            'brand',
            'manufacturer',
            'model',
            'color',
            'size',
            'product_group',
            'parent_asin',
            'root_category_id',
            'category_id',
            'category_path',
            'sales_rank_category_id',
            'tracking_since',
            'listed_since',
            'last_update',
            'last_price_change',
            'package_weight',
            'package_length',
            'package_width',
            'package_height',
            'is_adult_product',
        ],
    ) | indent(4) }}
)

select
    asin,
    domain_id,
    product_type,
    title,
    brand,
    manufacturer,
    model,
    color,
    size,
    product_group,
    parent_asin,
    root_category_id,
    category_id,
    category_path,
    sales_rank_category_id,
    tracking_since,
    listed_since,
    last_update,
    last_price_change,
    package_weight,
    package_length,
    package_width,
    package_height,
    is_adult_product,
    snapshot_at,
    run_date
from newest
