-- Cohorts: of the products first sold in a week, how many units did they sell in each week after?
-- Columns: first_week, weeks_later, products, units
with weeks as (
    select
        fct_sales_daily.product_key,
        dim_date.week_start_date,
        sum(fct_sales_daily.units) as units
    from mart.fct_sales_daily
    inner join mart.dim_date on fct_sales_daily.local_date = dim_date.calendar_date
    group by fct_sales_daily.product_key, dim_date.week_start_date
),

cohorts as (
    select
        product_key,
        week_start_date,
        units,
        min(week_start_date) over (partition by product_key) as first_week
    from weeks
)

select
    first_week,
    cast((week_start_date - first_week) / 7 as bigint) as weeks_later,
    count(distinct product_key) as products,
    sum(units) as units
from cohorts
group by first_week, weeks_later
order by first_week, weeks_later
