{{ config(materialized='view', enabled=source_is_on('scraperapi')) }}

with
pages as (
    select * from {{ ref('stg_scraperapi_product_page') }}
),

-- A product that is requested twice a day has two pages: the later one counts.
newest as (
    select *
    from pages
    qualify row_number() over (partition by country, asin, run_date order by snapshot_at desc) = 1
)

select
    country || '-' || asin as page_key,
    country,
    asin,
    run_date as observed_date,
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
    snapshot_at
from newest
