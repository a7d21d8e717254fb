select
    order_id,
    marketplace_id,
    order_status,
    purchased_at,
    last_updated_at,
    snapshot_at,
    country,
    fulfilled_by,
    order_total,
    currency,
    is_replacement,
    replaced_order_id,
    is_business,
    is_prime,
    api_version,
    _run_date as run_date,
    _source_object as source_object,
    _loaded_at as loaded_at
from {{ source('raw', 'sp_api_order') }}
where {{ is_included('sp_api', 'order', 'order_id') }}
