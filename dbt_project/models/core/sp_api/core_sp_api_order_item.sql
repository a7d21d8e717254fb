{{ config(
    materialized='incremental',
    incremental_strategy='changed_entities',
    unique_key=['order_id', 'order_item_id'],
    on_schema_change='fail',
) }}

with
-- Every row: the items of an order may have changed where the order itself has not.
orders as (
    {{ changed_rows('core_sp_api_order', listens='every_row') | indent(4) }}
),

items as (
    select * from {{ ref('stg_sp_api_order_item') }}
)

select
    items.order_id,
    items.order_item_id,
    items.asin,
    items.sku,
    orders.marketplace_id,
    orders.order_status,
    orders.purchased_at,
    orders.is_replacement,
    orders.fulfilled_by,
    orders.is_business,
    orders.is_prime,
    items.quantity_ordered,
    items.quantity_shipped,
    items.quantity_cancelled,
    items.currency,
    items.unit_price,
    items.item_price,
    items.item_tax,
    items.shipping_price,
    items.shipping_tax,
    items.item_discount,
    items.shipping_discount,
    items.other_proceeds,
    items.item_total,
    items.price_includes_tax,
    orders.last_updated_at,
    orders.run_date
from items
inner join orders
    on
        items.order_id = orders.order_id
        and items.last_updated_at = orders.last_updated_at
        and items.run_date = orders.run_date
