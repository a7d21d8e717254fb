{%- set key = ['order_id'] -%}
{{ config(
    materialized='incremental',
    incremental_strategy='newest_snapshot',
    unique_key=key,
    on_schema_change='fail',
) }}

with
newest as (
    {{ newest_snapshot(
        source=ref('stg_sp_api_order'),
        key=key,
        precedence=['last_updated_at', 'run_date'],
        columns=[
            'marketplace_id',
            'order_status',
            'purchased_at',
            'country',
            'fulfilled_by',
            'order_total',
            'currency',
            'is_replacement',
            'replaced_order_id',
            'is_business',
            'is_prime',
            'api_version',
            'last_updated_at',
        ],
    ) | indent(4) }}
)

select
    order_id,
    marketplace_id,
    order_status,
    purchased_at,
    country,
    fulfilled_by,
    order_total,
    currency,
    is_replacement,
    replaced_order_id,
    is_business,
    is_prime,
    api_version,
    last_updated_at,
    run_date
from newest
