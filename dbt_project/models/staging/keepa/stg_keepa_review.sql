select
    asin,
    domain_id,
    series,
    observed_at,
    snapshot_at,
    value,
    _run_date as run_date,
    _source_object as source_object,
    _loaded_at as loaded_at
from {{ source('raw', 'keepa_review') }}
where {{ is_included('keepa', 'product', product_key()) }}
