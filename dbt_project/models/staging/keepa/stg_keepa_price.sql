select
    asin,
    domain_id,
    series,
    observed_at,
    snapshot_at,
    price,
    shipping,
    landed_price,
    currency,
    _run_date as run_date,
    _source_object as source_object,
    _loaded_at as loaded_at
from {{ source('raw', 'keepa_price') }}
where {{ is_included('keepa', 'product', product_key()) }}
