{%- set key = ['order_id', 'order_item_id'] -%}
{{ config(
    materialized='incremental',
    incremental_strategy='changed_entities',
    unique_key=key,
    on_schema_change='fail',
) }}

with
items as (
    {{ changed_rows('core_sp_api_order_item', listens='values') | indent(4) }}
),

statuses as (
    select * from {{ ref('dim_order_status') }}
),

marketplaces as (
    select * from {{ ref('seed_amazon_marketplaces') }}
),

-- Keepa's numbers of the marketplaces that it covers.
domains as (
    select * from {{ ref('seed_marketplaces') }}
),

states as (
    select
        items.order_id,
        items.order_item_id,
        case
            when
                statuses.is_cancelled
                or (items.quantity_ordered > 0 and items.quantity_cancelled = items.quantity_ordered)
                then 'cancelled'
            when items.is_replacement then 'replacement'
            when statuses.is_pending then 'pending'
            when items.item_price is null or (items.price_includes_tax is null and items.item_tax <> 0) then 'unknown'
            else 'charged'
        end as revenue_state
    from items
    left join statuses on items.order_status = statuses.order_status
),

units as (
    select
        items.order_id,
        items.order_item_id,
        states.revenue_state,
        case
            when states.revenue_state = 'cancelled'
                then coalesce(items.quantity_cancelled, items.quantity_ordered - coalesce(items.quantity_shipped, 0))
            else items.quantity_cancelled
        end as units_cancelled
    from items
    inner join states on {{ same_key('items', 'states', key) }}
),

amounts as (
    select
        items.order_id,
        items.order_item_id,
        case
            when states.revenue_state = 'charged' then items.item_price - coalesce(items.item_discount, 0)
            when states.revenue_state in ('cancelled', 'replacement') then 0
        end as price_paid,
        case when states.revenue_state = 'charged' and items.price_includes_tax then items.item_tax end as tax_included
    from items
    inner join states on {{ same_key('items', 'states', key) }}
)

select
    items.order_id,
    items.order_item_id,
    cast(domains.domain_id as varchar) || '-' || items.asin as product_key,
    items.asin,
    domains.domain_id,
    items.sku,
    items.marketplace_id,
    marketplaces.country as marketplace_code,
    items.purchased_at,
    cast(items.purchased_at as date) as observed_date,
    {{ local_date('items.purchased_at', 'marketplaces.time_zone') }} as local_date,
    items.order_status,
    units.revenue_state,
    items.fulfilled_by,
    items.is_replacement,
    items.is_business,
    items.is_prime,
    items.quantity_ordered as units_ordered,
    items.quantity_shipped as units_shipped,
    units.units_cancelled,
    case
        when units.revenue_state = 'replacement' then 0
        else items.quantity_ordered - coalesce(units.units_cancelled, 0)
    end as units,
    coalesce(items.currency, marketplaces.currency) as currency,
    items.item_price,
    items.item_tax,
    items.item_discount,
    items.shipping_price,
    items.shipping_tax,
    items.shipping_discount,
    items.other_proceeds,
    items.item_total,
    items.price_includes_tax,
    cast(amounts.price_paid as decimal(18, 3)) as price_paid,
    cast(amounts.price_paid - coalesce(amounts.tax_included, 0) as decimal(18, 3)) as revenue,
    items.last_updated_at,
    items.run_date
from items
inner join units on {{ same_key('items', 'units', key) }}
inner join amounts on {{ same_key('items', 'amounts', key) }}
left join marketplaces on items.marketplace_id = marketplaces.marketplace_id
left join domains on marketplaces.country = domains.code
