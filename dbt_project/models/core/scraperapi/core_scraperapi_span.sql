{{ config(materialized='view', enabled=source_is_on('scraperapi')) }}

select
    'scraperapi' as source_name,
    min(observed_date) as first_date,
    max(observed_date) as last_date
from {{ ref('core_scraperapi_product_page_daily') }}
