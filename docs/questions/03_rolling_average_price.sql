-- What is the average new price of the last 30 days, for each product and day, weighted by the minutes in stock?
-- Columns: product_key, observed_date, currency, average_30_days_minor
select
    product_key,
    observed_date,
    currency,
    sum(price_minor_minutes) over (
        partition by product_key order by observed_date rows between 29 preceding and current row
    ) / nullif(sum(in_stock_minutes) over (
        partition by product_key order by observed_date rows between 29 preceding and current row
    ), 0) as average_30_days_minor
from mart.fct_price_history_daily
where series = 'NEW'
order by product_key, observed_date
