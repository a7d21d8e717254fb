with
changes as (
    select * from {{ ref('core_keepa_used_box_change') }}
),

products as (
    select * from {{ ref('dim_product') }}
),

intervals as (
    select
        changes.*,
        lead(changes.observed_at) over (
            partition by changes.asin, changes.domain_id order by changes.observed_at
        ) as ended_at
    from changes
)

select
    products.product_key,
    intervals.asin,
    intervals.domain_id,
    intervals.observed_at as started_at,
    intervals.ended_at,
    intervals.ended_at is null as is_open,
    intervals.seller_id,
    intervals.offer_condition,
    intervals.is_fba
from intervals
inner join products on intervals.asin = products.asin and intervals.domain_id = products.domain_id
where intervals.is_held
