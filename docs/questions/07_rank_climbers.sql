-- Which products climbed most in their main category within a week?
-- Columns: product_key, category_name, sales_rank, sales_rank_7_days_before, places_gained_7_days, climb_rank
select
    mart_rank_movers.product_key,
    dim_category.category_name,
    mart_rank_movers.sales_rank,
    mart_rank_movers.sales_rank_7_days_before,
    mart_rank_movers.places_gained_7_days,
    rank() over (order by mart_rank_movers.rank_change_7_days asc) as climb_rank
from mart.mart_rank_movers
inner join mart.dim_product on mart_rank_movers.product_key = dim_product.product_key
left join mart.dim_category
    on
        mart_rank_movers.category_id = dim_category.category_id
        and dim_product.domain_id = dim_category.domain_id
where mart_rank_movers.is_main and mart_rank_movers.rank_change_7_days is not null
order by climb_rank, mart_rank_movers.product_key
