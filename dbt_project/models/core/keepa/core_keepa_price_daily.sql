{{ config(
    materialized='incremental',
    incremental_strategy='changed_days',
    unique_key=['asin', 'domain_id', 'series', 'observed_date'],
    on_schema_change='fail',
) }}

with
by_day as (
    {{ step_function_by_day(
        changes=tracked_ref('core_keepa_price_change', listens='values'),
        snapshots=tracked_ref('core_keepa_product', listens='values'),
        entity=['asin', 'domain_id'],
        history=['series', 'currency'],
        value='landed_price',
    ) | indent(4) }}
)

select
    asin,
    domain_id,
    series,
    observed_date,
    open_value as open_price_minor,
    high_value as high_price_minor,
    low_value as low_price_minor,
    close_value as close_price_minor,
    cast(value_minutes as double) / nullif(known_minutes, 0) as average_price_minor,
    value_minutes as price_minor_minutes,
    known_minutes as in_stock_minutes,
    observed_minutes,
    changes,
    currency
from by_day
