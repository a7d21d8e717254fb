{#- A SALES row of a day in one category equals that category's own row, wherever both are known for as long. -#}
{% test sales_equals_its_category(model) %}
select
    sales.product_key,
    sales.observed_date,
    sales.ranked_category_id,
    sales.close_rank as sales_close_rank,
    own.close_rank as category_close_rank
from {{ model }} as sales
inner join {{ model }} as own
    on
        sales.product_key = own.product_key
        and sales.observed_date = own.observed_date
        and sales.ranked_category_id = own.category_id
        and own.series = 'CATEGORY'
where
    sales.series = 'SALES'
    and sales.is_one_category
    and sales.observed_minutes = own.observed_minutes
    and (
        sales.close_rank is distinct from own.close_rank
        or sales.low_rank is distinct from own.low_rank
        or sales.high_rank is distinct from own.high_rank
        or sales.rank_minutes is distinct from own.rank_minutes
    )
{% endtest %}
