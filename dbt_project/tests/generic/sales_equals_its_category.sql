{#-
    A SALES row of a day in one category equals that category's own row, wherever both are known for as long.

    The vendor's two histories differ by a point now and then (on 3 of 1,646 days of real products), so `share` of a
    product's days may: under a wrong category nearly all of them differ.
-#}
{% test sales_equals_its_category(model, share) %}
with
compared as (
    select
        sales.product_key,
        sales.observed_date,
        sales.ranked_category_id,
        sales.close_rank as sales_close_rank,
        own.close_rank as category_close_rank,
        case
            when sales.close_rank is distinct from own.close_rank or sales.rank_minutes is distinct from own.rank_minutes
                then 1
            else 0
        end as differs
    from {{ model }} as sales
    inner join {{ model }} as own
        on
            sales.product_key = own.product_key
            and sales.observed_date = own.observed_date
            and sales.ranked_category_id = own.category_id
            and sales.observed_minutes = own.observed_minutes
    where sales.series = 'SALES' and sales.is_one_category and own.series = 'CATEGORY'
),

counted as (
    select
        product_key,
        count(*) as days,
        sum(differs) as days_that_differ
    from compared
    group by product_key
)

select compared.*
from compared
inner join counted on compared.product_key = counted.product_key
where compared.differs = 1 and counted.days_that_differ > {{ share }} * counted.days
{% endtest %}
