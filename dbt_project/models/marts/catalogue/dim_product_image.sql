with
images as (
    select * from {{ ref('core_keepa_image') }}
),

products as (
    select * from {{ ref('dim_product') }}
)

select
    products.product_key,
    images.asin,
    images.domain_id,
    images.position,
    images.image,
    'https://m.media-amazon.com/images/I/' || images.image as image_url,
    images.image_width,
    images.image_height,
    images.medium_image,
    images.medium_width,
    images.medium_height,
    images.snapshot_at = products.snapshot_at as is_current,
    images.snapshot_at as last_seen_at
from images
inner join products on images.asin = products.asin and images.domain_id = products.domain_id
