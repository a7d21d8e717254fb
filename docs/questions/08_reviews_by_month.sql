-- How many new reviews did each product get per month, and how did its rating move?
-- Columns: product_key, month_start_date, new_reviews, close_rating, rating_change
with months as (
    select
        fct_review_history_daily.product_key,
        dim_date.month_start_date,
        sum(fct_review_history_daily.new_reviews) as new_reviews,
        max_by(fct_review_history_daily.close_rating, fct_review_history_daily.observed_date) as close_rating
    from mart.fct_review_history_daily
    inner join mart.dim_date on fct_review_history_daily.observed_date = dim_date.calendar_date
    group by fct_review_history_daily.product_key, dim_date.month_start_date
)

select
    product_key,
    month_start_date,
    new_reviews,
    close_rating,
    close_rating - lag(close_rating) over (partition by product_key order by month_start_date) as rating_change
from months
order by product_key, month_start_date
