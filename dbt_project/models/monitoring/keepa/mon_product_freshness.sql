with
products as (
    select * from {{ ref('core_keepa_product') }}
),

newest as (
    select
        max(snapshot_at) as snapshot_at,
        max(run_date) as run_date
    from products
)

select
    {{ product_key('products') }} as product_key,
    products.asin,
    products.domain_id,
    products.snapshot_at,
    products.run_date,
    cast({{ minutes_between('products.snapshot_at', 'newest.snapshot_at') }} as bigint) as minutes_behind,
    cast({{ days_between('products.run_date', 'newest.run_date') }} as bigint) as days_behind
from products
cross join newest
