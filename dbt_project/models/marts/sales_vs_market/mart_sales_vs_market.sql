with
sales as (
    select * from {{ ref('fct_sales_daily') }}
    where product_key is not null
),

market as (
    select * from {{ ref('mart_product_daily') }}
),

marketplaces as (
    select * from {{ ref('dim_marketplace') }}
),

stock_outs as (
    select * from {{ ref('mart_stock_outs') }}
    where series = 'NEW'
),

sales_days as (
    select * from {{ ref('core_sp_api_day') }}
),

products as (
    select
        product_key,
        asin,
        domain_id,
        min(observed_date) as first_date,
        max(observed_date) as last_sale_date
    from sales
    group by product_key, asin, domain_id
),

market_spans as (
    select
        market.product_key,
        min(market.observed_date) as first_date,
        max(market.observed_date) as last_date
    from market
    inner join products on market.product_key = products.product_key
    group by market.product_key
),

newest_sales_day as (
    select max(run_date) as run_date from sales_days
),

bounds as (
    select
        products.product_key,
        products.asin,
        products.domain_id,
        products.first_date,
        greatest(
            products.last_sale_date,
            coalesce(newest_sales_day.run_date, products.last_sale_date),
            coalesce(market_spans.last_date, products.last_sale_date)
        ) as last_date
    from products
    cross join newest_sales_day
    left join market_spans on products.product_key = market_spans.product_key
),

product_days as (
    {{ each_day('bounds', ['product_key', 'asin', 'domain_id'], 'first_date', 'last_date') | indent(4) }}
),

days as (
    select distinct observed_date from product_days
),

-- How far the orders reach, as of each day.
sales_reach as (
    select
        days.observed_date,
        max(sales_days.run_date) as sales_data_until
    from days
    left join sales_days on days.observed_date >= sales_days.run_date
    group by days.observed_date
),

-- An amount of another currency than the marketplace's is not added to those of it: the day has none then.
sales_by_day as (
    select
        sales.product_key,
        sales.observed_date,
        sum(sales.orders) as orders,
        sum(sales.units) as units,
        sum(sales.pending_units) as pending_units,
        sum(sales.units_cancelled) as units_cancelled,
        sum(sales.priced_units) as priced_units,
        sum(sales.price_paid) as price_paid,
        sum(sales.revenue) as revenue,
        max(case when sales.currency = marketplaces.currency then 0 else 1 end) as has_other_currency
    from sales
    left join marketplaces on sales.domain_id = marketplaces.domain_id
    group by sales.product_key, sales.observed_date
),

stock_outs_by_day as (
    select
        product_key,
        cast(started_at as date) as observed_date,
        count(*) as stock_outs
    from stock_outs
    group by product_key, cast(started_at as date)
),

joined as (
    select
        product_days.product_key,
        product_days.asin,
        product_days.domain_id,
        product_days.observed_date,
        marketplaces.marketplace_code,
        marketplaces.currency,
        sales_reach.sales_data_until,
        case
            when product_days.observed_date >= market_spans.first_date
                then least(product_days.observed_date, market_spans.last_date)
        end as market_data_until,
        -- A day whose orders are all there and that has none sold nothing; of any other day that is not known.
        case when sales_reach.sales_data_until = product_days.observed_date then 0 end as nothing_sold,
        sales_by_day.orders,
        sales_by_day.units,
        sales_by_day.pending_units,
        sales_by_day.units_cancelled,
        case when sales_by_day.has_other_currency = 0 then sales_by_day.priced_units end as priced_units,
        case when sales_by_day.has_other_currency = 0 then sales_by_day.price_paid end as price_paid,
        case
            when sales_by_day.has_other_currency = 0 then sales_by_day.revenue
            when sales_by_day.has_other_currency is null and sales_reach.sales_data_until = product_days.observed_date
                then 0
        end as revenue
    from product_days
    left join marketplaces on product_days.domain_id = marketplaces.domain_id
    left join market_spans on product_days.product_key = market_spans.product_key
    left join sales_reach on product_days.observed_date = sales_reach.observed_date
    left join sales_by_day
        on
            product_days.product_key = sales_by_day.product_key
            and product_days.observed_date = sales_by_day.observed_date
)

select
    joined.product_key,
    joined.asin,
    joined.domain_id,
    joined.marketplace_code,
    joined.observed_date,
    joined.currency,
    joined.sales_data_until,
    joined.market_data_until,
    cast(coalesce(joined.orders, joined.nothing_sold) as bigint) as orders,
    cast(coalesce(joined.units, joined.nothing_sold) as bigint) as units,
    cast(coalesce(joined.pending_units, joined.nothing_sold) as bigint) as pending_units,
    cast(coalesce(joined.units_cancelled, joined.nothing_sold) as bigint) as units_cancelled,
    cast(joined.revenue as decimal(18, 3)) as revenue,
    cast(joined.revenue / nullif(joined.priced_units, 0) as decimal(18, 4)) as average_selling_price,
    cast(joined.price_paid / nullif(joined.priced_units, 0) as decimal(18, 4)) as average_price_paid,
    market.buy_box_price,
    market.new_price,
    market.amazon_price,
    market.buy_box_winner_seller_id,
    market.buy_box_winner_share,
    market.sales_rank,
    market.in_stock_share,
    cast(case when market.product_key is not null then coalesce(stock_outs_by_day.stock_outs, 0) end as bigint)
        as stock_outs
from joined
left join market
    on joined.product_key = market.product_key and joined.observed_date = market.observed_date
left join stock_outs_by_day
    on
        joined.product_key = stock_outs_by_day.product_key
        and joined.observed_date = stock_outs_by_day.observed_date
