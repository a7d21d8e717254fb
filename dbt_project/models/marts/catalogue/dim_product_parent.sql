with
changes as (
    select * from {{ ref('core_keepa_parent_change') }}
),

products as (
    select * from {{ ref('dim_product') }}
),

intervals as (
    select
        asin,
        domain_id,
        observed_at as valid_from,
        lead(observed_at) over (partition by asin, domain_id order by observed_at) as valid_to,
        parent_asin,
        is_unreadable
    from changes
)

select
    products.product_key,
    intervals.asin,
    intervals.domain_id,
    intervals.valid_from,
    intervals.valid_to,
    intervals.valid_to is null as is_current,
    intervals.parent_asin,
    not intervals.is_unreadable as is_known
from intervals
inner join products on intervals.asin = products.asin and intervals.domain_id = products.domain_id
