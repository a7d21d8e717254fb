{{ config(enabled=source_is_on('scraperapi')) }}

with
days as (
    select * from {{ ref('core_scraperapi_product_page_daily') }}
),

-- By the calendar, not by rows: after a day without a page there is nothing to compare with.
compared as (
    select
        days.*,
        earlier.price as price_before,
        earlier.reviews as reviews_before
    from days
    left join days as earlier
        on
            days.country = earlier.country
            and days.asin = earlier.asin
            and {{ days_between('earlier.observed_date', 'days.observed_date') }} = 1
)

select
    page_key,
    country,
    asin,
    observed_date,
    title,
    brand,
    seller,
    ships_from,
    availability,
    currency,
    price,
    list_price,
    cast(list_price - price as double) / nullif(cast(list_price as double), 0) as discount,
    price_before,
    price - price_before as price_change,
    rating,
    reviews,
    reviews - reviews_before as reviews_added,
    snapshot_at
from compared
