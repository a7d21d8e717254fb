{{ config(
    materialized='incremental',
    incremental_strategy='changed_entities',
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

days_back as (
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

series_sums as (
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
    from days_back
    group by product_key, asin, domain_id, series, currency, as_of_date
),

flagged as (
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
        (average_90_days_minor - price_minor) / nullif(average_90_days_minor, 0) as below_average_share,
        (average_90_days_minor - price_minor) / nullif(average_90_days_minor, 0)
        >= {{ var('deal_below_average_share') }} as is_below_average,
        coalesce(price_minor < lowest_365_days_before_minor, false) as is_new_365_day_low,
        coalesce(price_minor < lowest_before_minor, false) as is_new_all_time_low
    from series_sums
    where price_minor is not null and average_90_days_minor > 0
)

select
    flagged.product_key,
    flagged.asin,
    flagged.domain_id,
    flagged.series,
    flagged.as_of_date,
    flagged.currency,
    flagged.price_minor,
    {{ to_major_units('flagged.price_minor', 'marketplaces.minor_digits') }} as price,
    flagged.average_90_days_minor,
    {{ to_major_units('flagged.average_90_days_minor', 'marketplaces.minor_digits', 4) }} as average_90_days,
    flagged.below_average_share,
    flagged.lowest_365_days_before_minor,
    flagged.lowest_before_minor,
    flagged.is_below_average,
    flagged.is_new_365_day_low,
    flagged.is_new_all_time_low,
    cast(flagged.history_days as bigint) as history_days
from flagged
left join marketplaces on flagged.domain_id = marketplaces.domain_id
where flagged.is_below_average or flagged.is_new_365_day_low or flagged.is_new_all_time_low
