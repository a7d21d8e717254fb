{{ config(
    materialized='incremental',
    incremental_strategy='changed_products',
    unique_key=['asin', 'domain_id', 'series'],
    on_schema_change='fail',
) }}

with
prices as (
    {{ changed_rows('fct_price_history_daily', listens='values') | indent(4) }}
),

price_types as (
    select * from {{ ref('dim_price_type') }}
    where is_offer_price
),

marketplaces as (
    select * from {{ ref('dim_marketplace') }}
),

daily as (
    select
        prices.product_key,
        prices.asin,
        prices.domain_id,
        prices.series,
        prices.currency,
        prices.observed_date,
        prices.low_price_minor,
        prices.close_price_minor,
        prices.price_minor_minutes,
        prices.in_stock_minutes,
        max(prices.observed_date) over (partition by prices.product_key, prices.series) as as_of_date
    from prices
    inner join price_types on prices.series = price_types.series
),

dated as (
    select
        product_key,
        asin,
        domain_id,
        series,
        currency,
        as_of_date,
        low_price_minor,
        close_price_minor,
        price_minor_minutes,
        in_stock_minutes,
        {{ days_between('observed_date', 'as_of_date') }} as days_ago
    from daily
),

summed as (
    select
        product_key,
        asin,
        domain_id,
        series,
        currency,
        as_of_date,
        max(case when days_ago = 0 then close_price_minor end) as price_minor,
        cast(sum(case when days_ago < 90 then price_minor_minutes end) as double)
        / nullif(sum(case when days_ago < 90 then in_stock_minutes end), 0) as average_90_days_minor,
        min(case when days_ago between 1 and 365 then low_price_minor end) as lowest_365_days_before_minor,
        min(case when days_ago >= 1 then low_price_minor end) as lowest_before_minor,
        max(days_ago) + 1 as history_days
    from dated
    group by product_key, asin, domain_id, series, currency, as_of_date
),

judged as (
    select
        product_key,
        asin,
        domain_id,
        series,
        currency,
        as_of_date,
        price_minor,
        average_90_days_minor,
        lowest_365_days_before_minor,
        lowest_before_minor,
        history_days,
        (average_90_days_minor - price_minor) / average_90_days_minor as below_average_share,
        (average_90_days_minor - price_minor) / average_90_days_minor >= {{ var('deal_below_average_share') }}
            as is_below_average,
        coalesce(price_minor < lowest_365_days_before_minor, false) as is_new_365_day_low,
        coalesce(price_minor < lowest_before_minor, false) as is_new_all_time_low
    from summed
    where price_minor is not null and average_90_days_minor > 0
)

select
    judged.product_key,
    judged.asin,
    judged.domain_id,
    judged.series,
    judged.as_of_date,
    judged.currency,
    judged.price_minor,
    {{ to_major_units('judged.price_minor', 'marketplaces.minor_digits') }} as price,
    judged.average_90_days_minor,
    {{ to_major_units('judged.average_90_days_minor', 'marketplaces.minor_digits', 4) }} as average_90_days,
    judged.below_average_share,
    judged.lowest_365_days_before_minor,
    judged.lowest_before_minor,
    judged.is_below_average,
    judged.is_new_365_day_low,
    judged.is_new_all_time_low,
    cast(judged.history_days as bigint) as history_days
from judged
left join marketplaces on judged.domain_id = marketplaces.domain_id
where judged.is_below_average or judged.is_new_365_day_low or judged.is_new_all_time_low
