{#- Every frame ends with the current row: nothing from after the day. Days have no gap, so rows are days. -#}
{%- set in_order = 'partition by product_key order by observed_date' -%}
{%- set longest_frame = 364 -%}
{{ config(
    materialized='incremental',
    incremental_strategy='changed_entities',
    unique_key=['asin', 'domain_id', 'observed_date'],
    on_schema_change='fail',
) }}

with
daily as (
    {{ changed_rows(
        'mart_product_daily', listens='values', since='observed_date', days_before=longest_frame
    ) | indent(4) }}
),

prices as (
    {{ changed_rows(
        'fct_price_history_daily', listens='values', since='observed_date', days_before=longest_frame
    ) | indent(4) }}
),

new_prices as (
    select * from prices
    where series = 'NEW'
),

every_day as (
    {{ changed_rows('mart_product_daily', listens='values') | indent(4) }}
),

first_days as (
    select
        product_key,
        min(observed_date) as first_date
    from every_day
    group by product_key
),

facts as (
    select
        daily.product_key,
        daily.asin,
        daily.domain_id,
        daily.observed_date,
        daily.restated_from,
        {{ days_between('first_days.first_date', 'daily.observed_date') }} + 1 as days_observed,
        daily.new_price_minor,
        daily.buy_box_price_minor,
        daily.buy_box_winner_seller_id,
        daily.buy_box_winner_share,
        daily.sales_rank,
        -- Ranks of different categories are not comparable.
        case when daily.sales_rank is not null then coalesce(daily.sales_rank_category_id, 0) end as ranked_in,
        daily.rating,
        daily.review_count,
        daily.new_reviews,
        daily.new_offers,
        daily.monthly_sold,
        new_prices.low_price_minor,
        new_prices.high_price_minor,
        new_prices.price_minor_minutes,
        new_prices.in_stock_minutes,
        new_prices.observed_minutes,
        new_prices.changes
    from daily
    inner join first_days on daily.product_key = first_days.product_key
    left join new_prices
        on daily.product_key = new_prices.product_key and daily.observed_date = new_prices.observed_date
),

windowed as (
    select
        product_key,
        asin,
        domain_id,
        observed_date,
        restated_from,
        days_observed,
        new_price_minor,
        buy_box_price_minor,
        buy_box_winner_share,
        sales_rank,
        rating,
        review_count,
        new_offers,
        monthly_sold,
        lag(new_price_minor, 1) over ({{ in_order }}) as price_1_day_before,
        lag(new_price_minor, 7) over ({{ in_order }}) as price_7_days_before,
        lag(new_price_minor, 30) over ({{ in_order }}) as price_30_days_before,
        sum(price_minor_minutes) over ({{ in_order }} rows between 6 preceding and current row) as price_minutes_7,
        sum(in_stock_minutes) over ({{ in_order }} rows between 6 preceding and current row) as in_stock_minutes_7,
        sum(price_minor_minutes) over ({{ in_order }} rows between 29 preceding and current row) as price_minutes_30,
        sum(in_stock_minutes) over ({{ in_order }} rows between 29 preceding and current row) as in_stock_minutes_30,
        sum(price_minor_minutes) over ({{ in_order }} rows between 89 preceding and current row) as price_minutes_90,
        sum(in_stock_minutes) over ({{ in_order }} rows between 89 preceding and current row) as in_stock_minutes_90,
        sum(observed_minutes) over ({{ in_order }} rows between 6 preceding and current row) as observed_minutes_7,
        sum(observed_minutes) over ({{ in_order }} rows between 29 preceding and current row) as observed_minutes_30,
        min(low_price_minor) over ({{ in_order }} rows between 29 preceding and current row) as lowest_30,
        max(high_price_minor) over ({{ in_order }} rows between 29 preceding and current row) as highest_30,
        min(low_price_minor) over ({{ in_order }} rows between 364 preceding and current row) as lowest_365,
        sum(changes) over ({{ in_order }} rows between 29 preceding and current row) as changes_30,
        case
            when lag(ranked_in, 7) over ({{ in_order }}) = ranked_in
                then lag(sales_rank, 7) over ({{ in_order }})
        end as rank_7_days_before,
        case
            when lag(ranked_in, 30) over ({{ in_order }}) = ranked_in
                then lag(sales_rank, 30) over ({{ in_order }})
        end as rank_30_days_before,
        min(ranked_in) over ({{ in_order }} rows between 29 preceding and current row)
        = max(ranked_in) over ({{ in_order }} rows between 29 preceding and current row) as is_one_category_30,
        sum(sales_rank) over ({{ in_order }} rows between 29 preceding and current row) as ranks_30,
        count(sales_rank) over ({{ in_order }} rows between 29 preceding and current row) as ranked_days_30,
        sum(new_reviews) over ({{ in_order }} rows between 6 preceding and current row) as new_reviews_7,
        sum(new_reviews) over ({{ in_order }} rows between 29 preceding and current row) as new_reviews_30,
        lag(new_offers, 7) over ({{ in_order }}) as new_offers_7_days_before,
        lag(buy_box_winner_seller_id) over ({{ in_order }}) <> buy_box_winner_seller_id as has_new_winner
    from facts
)

select
    product_key,
    asin,
    domain_id,
    observed_date,
    cast(days_observed as bigint) as days_observed,
    new_price_minor,
    cast(new_price_minor - price_1_day_before as double) / nullif(price_1_day_before, 0) as new_price_change_1_day,
    cast(new_price_minor - price_7_days_before as double) / nullif(price_7_days_before, 0) as new_price_change_7_days,
    cast(new_price_minor - price_30_days_before as double) / nullif(price_30_days_before, 0)
        as new_price_change_30_days,
    cast(price_minutes_7 as double) / nullif(in_stock_minutes_7, 0) as new_price_average_7_days_minor,
    cast(price_minutes_30 as double) / nullif(in_stock_minutes_30, 0) as new_price_average_30_days_minor,
    cast(price_minutes_90 as double) / nullif(in_stock_minutes_90, 0) as new_price_average_90_days_minor,
    cast(new_price_minor as double) * in_stock_minutes_90 / nullif(price_minutes_90, 0)
        as new_price_to_average_90_days,
    cast(new_price_minor as double) / nullif(lowest_365, 0) as new_price_to_lowest_365_days,
    cast(highest_30 - lowest_30 as double) * in_stock_minutes_30 / nullif(price_minutes_30, 0)
        as new_price_range_30_days,
    cast(changes_30 as bigint) as new_price_changes_30_days,
    cast(in_stock_minutes_7 as double) / nullif(observed_minutes_7, 0) as in_stock_share_7_days,
    cast(in_stock_minutes_30 as double) / nullif(observed_minutes_30, 0) as in_stock_share_30_days,
    buy_box_price_minor,
    buy_box_winner_share,
    has_new_winner as has_new_buy_box_winner,
    sales_rank,
    cast(sales_rank - rank_7_days_before as double) / nullif(rank_7_days_before, 0) as sales_rank_change_7_days,
    cast(sales_rank - rank_30_days_before as double) / nullif(rank_30_days_before, 0) as sales_rank_change_30_days,
    case when is_one_category_30 then cast(ranks_30 as double) / nullif(ranked_days_30, 0) end
        as sales_rank_average_30_days,
    rating,
    review_count,
    cast(new_reviews_7 as bigint) as new_reviews_7_days,
    cast(new_reviews_30 as bigint) as new_reviews_30_days,
    new_offers,
    new_offers - new_offers_7_days_before as new_offers_change_7_days,
    monthly_sold
from windowed
where observed_date >= restated_from
