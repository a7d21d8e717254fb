{#- A change table's rows as the intervals in which they held, of products that are known: each column of `changes`,
    started_at and ended_at (null: it still holds), and the product's key and currency. -#}
{% macro product_intervals(changes, columns) -%}
select
    products.product_key,
    changes.asin,
    changes.domain_id,
    changes.observed_at as started_at,
    lead(changes.observed_at) over (
        partition by changes.asin, changes.domain_id order by changes.observed_at
    ) as ended_at,
    products.currency,
    products.minor_digits,
    {{ columns_of('changes', columns) | join(',\n    ') }}
from {{ ref(changes) }} as changes
inner join {{ ref('dim_product') }} as products
    on changes.asin = products.asin and changes.domain_id = products.domain_id
{%- endmacro %}
