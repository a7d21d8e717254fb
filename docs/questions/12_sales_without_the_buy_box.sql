-- Do days on which the buy box was shared, or the product was short, sell less?
-- Columns: buy_box, stock, product_days, units_per_day
select
    case when buy_box_winner_share >= 0.9 then 'one seller' else 'shared' end as buy_box,
    case when in_stock_share >= 0.99 then 'in stock' else 'short' end as stock,
    count(*) as product_days,
    round(avg(units), 2) as units_per_day
from mart.mart_sales_vs_market
where buy_box_winner_share is not null and in_stock_share is not null
group by buy_box, stock
order by buy_box, stock
