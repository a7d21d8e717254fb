select
    asin,
    domain_id,
    stat,
    series,
    snapshot_at,
    value,
    value_at,
    _run_date as run_date,
    _source_object as source_object,
    _loaded_at as loaded_at
from {{ source('raw', 'keepa_stats') }}
where {{ is_included('keepa', 'product', product_key()) }}
