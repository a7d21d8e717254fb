select
    asin,
    domain_id,
    observed_at,
    snapshot_at,
    parent_asin,
    _run_date as run_date,
    _source_object as source_object,
    _loaded_at as loaded_at
from {{ source('raw', 'keepa_parent_asin') }}
where {{ is_included('keepa', 'product', product_key()) }}
