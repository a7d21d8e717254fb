{%- set day_of_product = ['asin', 'domain_id', 'observed_date'] -%}
{{ config(
    materialized='incremental',
    incremental_strategy='changed_entities',
    unique_key=day_of_product,
    on_schema_change='fail',
) }}

with
prices as (
    {{ changed_rows('fct_price_history_daily', listens='values', since='observed_date') | indent(4) }}
),

ranks as (
    {{ changed_rows('fct_rank_history_daily', listens='values', since='observed_date') | indent(4) }}
),

reviews as (
    {{ changed_rows('fct_review_history_daily', listens='values', since='observed_date') | indent(4) }}
),

buy_boxes as (
    {{ changed_rows('fct_buy_box_daily', listens='values', since='observed_date') | indent(4) }}
),

offers as (
    {{ changed_rows('core_keepa_offer_daily', listens='values', since='observed_date') | indent(4) }}
),

products as (
    select * from {{ ref('dim_product') }}
),

sold as (
    {{ step_function_by_day(
        changes=tracked_ref('core_keepa_monthly_sold_change', listens='values'),
        snapshots=tracked_ref('core_keepa_product', listens='values', columns=['title', 'brand']),
        entity=['asin', 'domain_id'],
        value='monthly_sold',
    ) | indent(4) }}
),

price_day as (
    select
        asin,
        domain_id,
        observed_date,
        max(case when series = 'AMAZON' then close_price_minor end) as amazon_price_minor,
        max(case when series = 'AMAZON' then close_price end) as amazon_price,
        max(case when series = 'NEW' then close_price_minor end) as new_price_minor,
        max(case when series = 'NEW' then close_price end) as new_price,
        max(case when series = 'BUY_BOX_SHIPPING' then close_price_minor end) as buy_box_price_minor,
        max(case when series = 'BUY_BOX_SHIPPING' then close_price end) as buy_box_price,
        max(case when series = 'NEW_FBA' then close_price_minor end) as new_fba_price_minor,
        max(case when series = 'NEW_FBA' then close_price end) as new_fba_price,
        max(case when series = 'NEW_FBM_SHIPPING' then close_price_minor end) as new_fbm_price_minor,
        max(case when series = 'NEW_FBM_SHIPPING' then close_price end) as new_fbm_price,
        max(case when series = 'USED' then close_price_minor end) as used_price_minor,
        max(case when series = 'USED' then close_price end) as used_price,
        max(case when series = 'LISTPRICE' then close_price_minor end) as list_price_minor,
        max(case when series = 'LISTPRICE' then close_price end) as list_price,
        max(case when series = 'NEW' then average_price_minor end) as new_average_price_minor,
        max(case when series = 'NEW' then average_price end) as new_average_price,
        max(case when series = 'BUY_BOX_SHIPPING' then average_price_minor end) as buy_box_average_price_minor,
        max(case when series = 'BUY_BOX_SHIPPING' then average_price end) as buy_box_average_price,
        max(case when series = 'NEW' then cast(in_stock_minutes as double) / nullif(observed_minutes, 0) end)
            as in_stock_share,
        max(case when series = 'AMAZON' then cast(in_stock_minutes as double) / nullif(observed_minutes, 0) end)
            as amazon_in_stock_share
    from prices
    group by asin, domain_id, observed_date
),

-- A category contains its sub-categories, so the largest of a day's ranks is the one in the widest category. Only what
-- is of the day itself decides: the category that a product is filed under today may be younger than the day.
rank_day as (
    select
        asin,
        domain_id,
        observed_date,
        close_rank as sales_rank,
        ranked_category_id as sales_rank_category_id
    from ranks
    where close_rank is not null
    qualify
        row_number() over (
            partition by asin, domain_id, observed_date
            order by case series when 'SALES' then 0 else 1 end, close_rank desc, category_id asc
        ) = 1
),

offer_day as (
    select
        asin,
        domain_id,
        observed_date,
        max(case when series = 'COUNT_NEW' then close_value end) as new_offers,
        max(case when series = 'COUNT_NEW_FBA' then close_value end) as new_fba_offers,
        max(case when series = 'COUNT_NEW_FBM' then close_value end) as new_fbm_offers,
        max(case when series = 'COUNT_USED' then close_value end) as used_offers
    from offers
    group by asin, domain_id, observed_date
),

observed as (
    {{ date_spans(['prices', 'ranks', 'reviews', 'buy_boxes', 'offers'], ['asin', 'domain_id']) | indent(4) }}
),

bounds as (
    select
        asin,
        domain_id,
        min(first_date) as first_date,
        max(last_date) as last_date
    from observed
    group by asin, domain_id
),

days as (
    {{ each_day('bounds', ['asin', 'domain_id'], 'first_date', 'last_date') | indent(4) }}
)

select
    {{ product_key('days') }} as product_key,
    days.asin,
    days.domain_id,
    days.observed_date,
    products.marketplace_code,
    products.currency,
    products.title as current_title,
    products.brand as current_brand,
    price_day.amazon_price_minor,
    price_day.amazon_price,
    price_day.new_price_minor,
    price_day.new_price,
    price_day.buy_box_price_minor,
    price_day.buy_box_price,
    price_day.new_fba_price_minor,
    price_day.new_fba_price,
    price_day.new_fbm_price_minor,
    price_day.new_fbm_price,
    price_day.used_price_minor,
    price_day.used_price,
    price_day.list_price_minor,
    price_day.list_price,
    price_day.new_average_price_minor,
    price_day.new_average_price,
    price_day.buy_box_average_price_minor,
    price_day.buy_box_average_price,
    price_day.in_stock_share,
    price_day.amazon_in_stock_share,
    buy_boxes.winner_seller_id as buy_box_winner_seller_id,
    buy_boxes.winner_share as buy_box_winner_share,
    rank_day.sales_rank,
    rank_day.sales_rank_category_id,
    reviews.close_rating as rating,
    reviews.close_review_count as review_count,
    reviews.new_reviews,
    offer_day.new_offers,
    offer_day.new_fba_offers,
    offer_day.new_fbm_offers,
    offer_day.used_offers,
    sold.close_value as monthly_sold
from days
inner join products on days.asin = products.asin and days.domain_id = products.domain_id
{{ left_joins('days', ['price_day', 'rank_day', 'reviews', 'buy_boxes', 'offer_day', 'sold'], day_of_product) }}
