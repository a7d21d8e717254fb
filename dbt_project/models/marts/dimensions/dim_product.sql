with
products as (
    select * from {{ ref('core_keepa_product') }}
),

marketplaces as (
    select * from {{ ref('seed_marketplaces') }}
)

select
    {{ product_key('products') }} as product_key,
    products.asin,
    products.domain_id,
    marketplaces.code as marketplace_code,
    marketplaces.host as marketplace_host,
    marketplaces.currency,
    marketplaces.minor_digits,
    products.product_type,
    products.title,
    products.brand,
    products.manufacturer,
    products.model,
    products.color,
    products.size,
    products.product_group,
    products.parent_asin,
    products.root_category_id,
    products.category_id,
    products.category_path,
    products.sales_rank_category_id,
    products.tracking_since,
    products.listed_since,
    products.last_update,
    products.last_price_change,
    products.package_weight,
    products.package_length,
    products.package_width,
    products.package_height,
    products.is_adult_product,
    products.snapshot_at
from products
left join marketplaces on products.domain_id = marketplaces.domain_id
