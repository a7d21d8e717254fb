{{ config(
    materialized='incremental',
    incremental_strategy='changed_entities',
    unique_key=['asin', 'marketplace_id', 'currency', 'observed_date', 'local_date'],
    on_schema_change='fail',
) }}

with
items as (
    {{ changed_rows('fct_order_item', listens='values', since='observed_date') | indent(4) }}
),

rates as (
    select * from {{ ref('seed_exchange_rates') }}
    where to_currency = '{{ var("reporting_currency") }}'
),

sums as (
    select
        product_key,
        asin,
        domain_id,
        marketplace_id,
        marketplace_code,
        currency,
        observed_date,
        local_date,
        count(distinct order_id) as orders,
        count(*) as order_items,
        sum(case when revenue_state = 'cancelled' then 1 else 0 end) as cancelled_items,
        sum(units_ordered) as units_ordered,
        sum(units_cancelled) as units_cancelled,
        sum(units_shipped) as units_shipped,
        sum(case when revenue_state = 'replacement' then units_ordered else 0 end) as replacement_units,
        sum(units) as units,
        sum(case when revenue_state = 'pending' then units else 0 end) as pending_units,
        sum(case when revenue_state = 'charged' then units_ordered else 0 end) as priced_units,
        cast(sum(price_paid) as decimal(18, 3)) as price_paid,
        cast(sum(revenue) as decimal(18, 3)) as revenue
    from items
    group by
        product_key, asin, domain_id, marketplace_id, marketplace_code, currency, observed_date, local_date
)

select
    sums.product_key,
    sums.asin,
    sums.domain_id,
    sums.marketplace_id,
    sums.marketplace_code,
    sums.currency,
    sums.observed_date,
    sums.local_date,
    cast(sums.orders as bigint) as orders,
    cast(sums.order_items as bigint) as order_items,
    cast(sums.cancelled_items as bigint) as cancelled_items,
    cast(sums.units_ordered as bigint) as units_ordered,
    cast(sums.units_cancelled as bigint) as units_cancelled,
    cast(sums.units_shipped as bigint) as units_shipped,
    cast(sums.replacement_units as bigint) as replacement_units,
    cast(sums.units as bigint) as units,
    cast(sums.pending_units as bigint) as pending_units,
    cast(sums.priced_units as bigint) as priced_units,
    sums.price_paid,
    sums.revenue,
    cast(sums.revenue / nullif(sums.priced_units, 0) as decimal(18, 4)) as average_selling_price,
    '{{ var("reporting_currency") }}' as reporting_currency,
    cast(case when sums.currency = '{{ var("reporting_currency") }}' then 1 else rates.rate end as decimal(18, 9))
        as exchange_rate,
    case
        when sums.currency = '{{ var("reporting_currency") }}' then sums.revenue
        else cast(sums.revenue * rates.rate as decimal(18, 3))
    end as reporting_revenue
from sums
left join rates on sums.observed_date = rates.rate_date and sums.currency = rates.from_currency
