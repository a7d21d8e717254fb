with
companions as (
    select * from {{ ref('core_keepa_bought_together') }}
),

products as (
    select * from {{ ref('dim_product') }}
)

select
    products.product_key,
    companions.asin,
    companions.domain_id,
    companions.position,
    companions.other_asin,
    other_products.product_key as other_product_key,
    other_products.title as other_title,
    companions.snapshot_at = products.snapshot_at as is_current,
    companions.snapshot_at as last_seen_at
from companions
inner join products on companions.asin = products.asin and companions.domain_id = products.domain_id
left join products as other_products
    on companions.other_asin = other_products.asin and companions.domain_id = other_products.domain_id
