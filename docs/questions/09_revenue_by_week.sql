-- What was sold per week, marketplace and currency, and how does it compare with the week before?
-- Columns: marketplace_code, currency, week_start_date, units, revenue, revenue_change
with weeks as (
    select
        fct_sales_daily.marketplace_code,
        fct_sales_daily.currency,
        dim_date.week_start_date,
        sum(fct_sales_daily.units) as units,
        sum(fct_sales_daily.revenue) as revenue
    from mart.fct_sales_daily
    inner join mart.dim_date on fct_sales_daily.local_date = dim_date.calendar_date
    group by fct_sales_daily.marketplace_code, fct_sales_daily.currency, dim_date.week_start_date
)

select
    marketplace_code,
    currency,
    week_start_date,
    units,
    revenue,
    revenue - lag(revenue) over (
        partition by marketplace_code, currency order by week_start_date
    ) as revenue_change
from weeks
order by marketplace_code, currency, week_start_date
