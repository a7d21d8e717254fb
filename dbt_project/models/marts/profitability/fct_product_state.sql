{{ config(
    materialized='incremental',
    incremental_strategy='changed_entities',
    unique_key=['asin', 'domain_id', 'observed_date', 'snapshot_at'],
    on_schema_change='fail',
) }}

with
states as (
    {{ changed_rows('core_keepa_product_state', listens='values', since='observed_date') | indent(4) }}
),

marketplaces as (
    select * from {{ ref('dim_marketplace') }}
)

select
    {{ product_key('states') }} as product_key,
    states.asin,
    states.domain_id,
    states.observed_date,
    states.snapshot_at,
    states.currency,
    states.fba_fee as fba_fee_minor,
    {{ to_major_units('states.fba_fee', 'marketplaces.minor_digits') }} as fba_fee,
    states.fba_fee_updated_at,
    states.referral_fee_percent,
    states.referral_fee_whole_percent,
    states.package_quantity,
    states.number_of_items,
    states.amazon_availability,
    states.is_subscribe_and_save,
    states.offers,
    states.fba_offers,
    states.fbm_offers,
    states.offers_updated_at,
    states.sales_rank_drops_30d,
    states.sales_rank_drops_90d,
    states.sales_rank_drops_180d,
    states.sales_rank_drops_365d,
    states.buy_box_price as buy_box_price_minor,
    {{ to_major_units('states.buy_box_price', 'marketplaces.minor_digits') }} as buy_box_price,
    states.buy_box_shipping as buy_box_shipping_minor,
    {{ to_major_units('states.buy_box_shipping', 'marketplaces.minor_digits') }} as buy_box_shipping,
    states.buy_box_saving_basis as buy_box_saving_basis_minor,
    {{ to_major_units('states.buy_box_saving_basis', 'marketplaces.minor_digits') }} as buy_box_saving_basis,
    states.buy_box_seller_id,
    case
        when states.buy_box_is_amazon then 'amazon'
        when states.buy_box_is_fba then 'seller, sent by amazon'
        when not states.buy_box_is_fba then 'seller'
    end as buy_box_holder,
    states.buy_box_is_amazon,
    states.buy_box_is_fba,
    states.buy_box_is_unqualified,
    states.buy_box_is_used,
    states.buy_box_is_preorder,
    states.buy_box_is_backorder,
    states.buy_box_is_prime_eligible,
    states.buy_box_updated_at
from states
left join marketplaces on states.domain_id = marketplaces.domain_id
