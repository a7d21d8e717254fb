{{ config(
    materialized='incremental',
    incremental_strategy='changed_entities',
    unique_key=['asin', 'domain_id', 'series', 'category_id'],
    on_schema_change='fail',
) }}

with
ranks as (
    {{ changed_rows('fct_rank_history_daily', listens='values') | indent(4) }}
),

newest as (
    select
        product_key,
        asin,
        domain_id,
        series,
        category_id,
        ranked_category_id,
        observed_date as as_of_date,
        close_rank as sales_rank
    from ranks
    qualify row_number() over (partition by product_key, series, category_id order by observed_date desc) = 1
),

moves as (
    select
        newest.product_key,
        newest.asin,
        newest.domain_id,
        newest.series,
        newest.category_id,
        newest.ranked_category_id,
        newest.as_of_date,
        newest.sales_rank,
        week_before.close_rank as sales_rank_7_days_before,
        month_before.close_rank as sales_rank_30_days_before,
        row_number() over (
            partition by newest.product_key
            order by
                case newest.series when 'SALES' then 0 else 1 end, newest.sales_rank desc, newest.category_id asc
        ) = 1 as is_main
    from newest
    left join ranks as week_before
        on
            newest.product_key = week_before.product_key
            and newest.series = week_before.series
            and newest.category_id = week_before.category_id
            and newest.ranked_category_id is not distinct from week_before.ranked_category_id
            and week_before.observed_date = {{ day_plus('newest.as_of_date', -7) }}
    left join ranks as month_before
        on
            newest.product_key = month_before.product_key
            and newest.series = month_before.series
            and newest.category_id = month_before.category_id
            and newest.ranked_category_id is not distinct from month_before.ranked_category_id
            and month_before.observed_date = {{ day_plus('newest.as_of_date', -30) }}
    where newest.sales_rank is not null
)

select
    product_key,
    asin,
    domain_id,
    series,
    category_id,
    ranked_category_id,
    as_of_date,
    is_main,
    sales_rank,
    sales_rank_7_days_before,
    sales_rank_7_days_before - sales_rank as places_gained_7_days,
    cast(sales_rank - sales_rank_7_days_before as double) / nullif(sales_rank_7_days_before, 0) as rank_change_7_days,
    sales_rank_30_days_before,
    sales_rank_30_days_before - sales_rank as places_gained_30_days,
    cast(sales_rank - sales_rank_30_days_before as double) / nullif(sales_rank_30_days_before, 0) as rank_change_30_days
from moves
