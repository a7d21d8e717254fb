select
    asin,
    domain_id,
    variation_asin,
    snapshot_at,
    position,
    attributes,
    image,
    _run_date as run_date,
    _source_object as source_object,
    _loaded_at as loaded_at
from {{ source('raw', 'keepa_variation') }}
where {{ is_included('keepa', 'product', product_key()) }}
