select
    asin,
    domain_id,
    kind,
    value,
    snapshot_at,
    position,
    _run_date as run_date,
    _source_object as source_object,
    _loaded_at as loaded_at
from {{ source('raw', 'keepa_identifier') }}
where {{ is_included('keepa', 'product', product_key()) }}
