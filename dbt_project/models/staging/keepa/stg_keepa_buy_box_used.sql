select
    asin,
    domain_id,
    observed_at,
    snapshot_at,
    is_held,
    seller_id,
    condition,
    is_fba,
    _run_date as run_date,
    _source_object as source_object,
    _loaded_at as loaded_at
from {{ source('raw', 'keepa_buy_box_used') }}
where {{ is_included('keepa', 'product', product_key()) }}
