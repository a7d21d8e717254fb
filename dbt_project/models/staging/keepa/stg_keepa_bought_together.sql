select
    asin,
    domain_id,
    other_asin,
    snapshot_at,
    position,
    _run_date as run_date,
    _source_object as source_object,
    _loaded_at as loaded_at
from {{ source('raw', 'keepa_bought_together') }}
where {{ is_included('keepa', 'product', product_key()) }}
