-- How did each product's new price change from one day to the next, and against a week before?
-- Columns: product_key, observed_date, currency, new_price, change_1_day, change_7_days
select
    product_key,
    observed_date,
    currency,
    new_price,
    new_price - lag(new_price, 1) over (partition by product_key order by observed_date) as change_1_day,
    new_price - lag(new_price, 7) over (partition by product_key order by observed_date) as change_7_days
from mart.mart_product_daily
where new_price is not null
order by product_key, observed_date
