-- Which products make up the first 80 % of the revenue, per currency?
-- Columns: currency, product_key, revenue, running_share
with products as (
    select
        currency,
        product_key,
        sum(revenue) as revenue
    from mart.fct_order_item
    where revenue > 0
    group by currency, product_key
),

running as (
    select
        currency,
        product_key,
        revenue,
        sum(revenue) over (
            partition by currency order by revenue desc, product_key asc rows unbounded preceding
        ) as running_revenue,
        sum(revenue) over (partition by currency) as all_revenue
    from products
)

select
    currency,
    product_key,
    revenue,
    round(running_revenue / nullif(all_revenue, 0), 4) as running_share
from running
where running_revenue - revenue < 0.8 * all_revenue
order by currency asc, revenue desc, product_key asc
