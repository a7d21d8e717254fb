{{ config(
    materialized='incremental',
    incremental_strategy='changed_entities',
    unique_key=['asin', 'domain_id', 'series', 'started_at'],
    on_schema_change='fail',
) }}

{%- set in_order = 'partition by asin, domain_id, series order by observed_at' -%}
with
changes as (
    {{ changed_rows('core_keepa_price_change', listens='values') | indent(4) }}
),

price_types as (
    select * from {{ ref('dim_price_type') }}
    where tells_stock
),

products as (
    select * from {{ tracked_ref('core_keepa_product', listens='values') }}
),

marketplaces as (
    select * from {{ ref('dim_marketplace') }}
),

points as (
    select
        changes.asin,
        changes.domain_id,
        changes.series,
        changes.observed_at,
        case when changes.is_unreadable then 'unknown' when changes.is_in_stock then 'in' else 'out' end as stock_state,
        changes.landed_price
    from changes
    inner join price_types on changes.series = price_types.series
),

with_previous as (
    select
        asin,
        domain_id,
        series,
        observed_at,
        stock_state,
        landed_price,
        lag(stock_state) over ({{ in_order }}) as state_before,
        lag(landed_price) over ({{ in_order }}) as price_before,
        max(observed_at) over (partition by asin, domain_id, series) as last_observed_at
    from points
),

-- Equal consecutive points are not a change.
transitions as (
    select
        asin,
        domain_id,
        series,
        observed_at,
        stock_state,
        state_before,
        lag(stock_state, 2) over ({{ in_order }}) as state_before_that,
        price_before,
        last_observed_at,
        lead(observed_at) over ({{ in_order }}) as next_observed_at,
        lead(landed_price) over ({{ in_order }}) as price_after
    from with_previous
    where state_before is null or stock_state <> state_before
),

-- Where nothing was offered before, nothing ran out: a history may begin with years of "no offer". A stretch that is
-- unknown ends a stock-out; one begins after it if there was an offer before it.
stock_outs as (
    select
        transitions.asin,
        transitions.domain_id,
        transitions.series,
        transitions.observed_at as started_at,
        transitions.next_observed_at as ended_at,
        -- macros/step_function_by_day.sql has the rule by which a history ends.
        coalesce(
            transitions.next_observed_at,
            greatest(
                transitions.last_observed_at,
                coalesce(date_trunc('minute', products.snapshot_at), transitions.last_observed_at)
            )
        ) as known_until,
        transitions.price_before,
        transitions.price_after
    from transitions
    left join products on transitions.asin = products.asin and transitions.domain_id = products.domain_id
    where
        transitions.stock_state = 'out'
        and (
            transitions.state_before = 'in'
            or (transitions.state_before = 'unknown' and transitions.state_before_that = 'in')
        )
)

select
    {{ product_key('stock_outs') }} as product_key,
    stock_outs.asin,
    stock_outs.domain_id,
    stock_outs.series,
    stock_outs.started_at,
    stock_outs.ended_at,
    stock_outs.ended_at is null as is_open,
    cast({{ minutes_between('stock_outs.started_at', 'stock_outs.known_until') }} as bigint) as minutes,
    marketplaces.currency,
    stock_outs.price_before as price_before_minor,
    {{ to_major_units('stock_outs.price_before', 'marketplaces.minor_digits') }} as price_before,
    stock_outs.price_after as price_after_minor,
    {{ to_major_units('stock_outs.price_after', 'marketplaces.minor_digits') }} as price_after
from stock_outs
left join marketplaces on stock_outs.domain_id = marketplaces.domain_id
