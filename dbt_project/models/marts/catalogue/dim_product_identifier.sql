with
identifiers as (
    select * from {{ ref('core_keepa_identifier') }}
),

products as (
    select * from {{ ref('dim_product') }}
)

select
    products.product_key,
    identifiers.asin,
    identifiers.domain_id,
    identifiers.kind,
    identifiers.value as identifier,
    identifiers.position,
    identifiers.snapshot_at = products.snapshot_at as is_current,
    identifiers.snapshot_at as last_seen_at
from identifiers
inner join products on identifiers.asin = products.asin and identifiers.domain_id = products.domain_id
