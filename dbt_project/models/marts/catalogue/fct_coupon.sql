with
changes as (
    select * from {{ ref('core_keepa_coupon_change') }}
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
    products.currency,
    intervals.one_time_amount as one_time_amount_minor,
    {{ to_major_units('intervals.one_time_amount', 'products.minor_digits') }} as one_time_amount,
    intervals.one_time_percent,
    intervals.subscribe_and_save_amount as subscribe_and_save_amount_minor,
    {{ to_major_units('intervals.subscribe_and_save_amount', 'products.minor_digits') }} as subscribe_and_save_amount,
    intervals.subscribe_and_save_percent
from intervals
inner join products on intervals.asin = products.asin and intervals.domain_id = products.domain_id
where intervals.is_offered
