{{ config(tags=['price', 'review']) }}

select
    country,
    asin,
    snapshot_at,
    title,
    brand,
    seller,
    ships_from,
    availability,
    currency,
    price,
    list_price,
    rating,
    reviews,
    _run_date as run_date,
    _source_object as source_object,
    _loaded_at as loaded_at
from {{ source('raw', 'scraperapi_product_page') }}
where {{ is_included('scraperapi', 'product_page', "country || '-' || asin") }}
