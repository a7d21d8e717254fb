select
    asin,
    domain_id,
    position,
    snapshot_at,
    image,
    image_width,
    image_height,
    medium_image,
    medium_width,
    medium_height,
    _run_date as run_date,
    _source_object as source_object,
    _loaded_at as loaded_at
from {{ source('raw', 'keepa_image') }}
where {{ is_included('keepa', 'product', product_key()) }}
