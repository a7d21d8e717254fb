{%- set day_of_product = ['asin', 'domain_id', 'observed_date'] -%}
{{ config(
    materialized='incremental',
    incremental_strategy='changed_entities',
    unique_key=day_of_product,
    on_schema_change='fail',
) }}

with
daily as (
    {{ changed_rows('core_keepa_review_daily', listens='values', since='observed_date') | indent(4) }}
),

bounds as (
    select
        asin,
        domain_id,
        min(observed_date) as first_date,
        max(observed_date) as last_date
    from daily
    group by asin, domain_id
),

days as (
    {{ each_day('bounds', ['asin', 'domain_id'], 'first_date', 'last_date') | indent(4) }}
),

ratings as (
    select * from daily
    where series = 'RATING'
),

review_counts as (
    select * from daily
    where series = 'COUNT_REVIEWS'
)

select
    {{ product_key('days') }} as product_key,
    days.asin,
    days.domain_id,
    days.observed_date,
    ratings.open_value as open_rating_tenths,
    ratings.close_value as close_rating_tenths,
    ratings.average_value as average_rating_tenths,
    cast(ratings.open_value / 10.0 as decimal(3, 1)) as open_rating,
    cast(ratings.close_value / 10.0 as decimal(3, 1)) as close_rating,
    cast(ratings.average_value / 10.0 as decimal(6, 4)) as average_rating,
    review_counts.open_value as open_review_count,
    review_counts.close_value as close_review_count,
    review_counts.close_value - review_counts.open_value as new_reviews
from days
{{ left_joins('days', ['ratings', 'review_counts'], day_of_product) }}
