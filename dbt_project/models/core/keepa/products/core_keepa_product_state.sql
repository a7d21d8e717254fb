{%- set key = ['asin', 'domain_id', 'snapshot_at'] -%}
{{ config(
    materialized='incremental',
    incremental_strategy='newest_snapshot',
    unique_key=key,
    on_schema_change='fail',
) }}
{%- set as_answered = [
    'currency',
    'fba_fee',
    'fba_fee_updated_at',
    'referral_fee_percent',
    'referral_fee_whole_percent',
    'package_quantity',
    'number_of_items',
    'is_subscribe_and_save',
    'offers',
    'fba_offers',
    'fbm_offers',
    'offers_updated_at',
    'sales_rank_drops_30d',
    'sales_rank_drops_90d',
    'sales_rank_drops_180d',
    'sales_rank_drops_365d',
    'buy_box_price',
    'buy_box_shipping',
    'buy_box_saving_basis',
    'buy_box_seller_id',
    'buy_box_is_amazon',
    'buy_box_is_fba',
    'buy_box_is_unqualified',
    'buy_box_is_used',
    'buy_box_is_preorder',
    'buy_box_is_backorder',
    'buy_box_is_prime_eligible',
    'buy_box_updated_at',
] -%}

with
newest as (
    {{ newest_snapshot(
        source=ref('stg_keepa_product_state'),
        key=key,
        columns=as_answered + ['amazon_availability'],
    ) | indent(4) }}
)

select
    asin,
    domain_id,
    snapshot_at,
    snapshot_at as observed_at,
    cast(snapshot_at as date) as observed_date,
    case amazon_availability
        when -1 then 'no_offer'
        when 0 then 'in_stock'
        when 1 then 'to_be_released'
        when 2 then 'unknown'
        when 3 then 'to_be_restocked'
        when 4 then 'delayed'
    end as amazon_availability,
    {{ as_answered | join(',\n    ') }},
    run_date
from newest
