{{ config(
    materialized='incremental',
    incremental_strategy='changed_days',
    unique_key=['asin', 'domain_id', 'series', 'observed_date'],
    on_schema_change='fail',
) }}

with
by_day as (
    {{ step_function_by_day(
        changes=tracked_ref('core_keepa_offer_count_change', listens='values'),
        products=tracked_ref('core_keepa_product', listens='values'),
        key=['asin', 'domain_id', 'series'],
        value='series_value',
    ) | indent(4) }}
)

select
    asin,
    domain_id,
    series,
    observed_date,
    open_value,
    high_value,
    low_value,
    close_value,
    cast(value_minutes as double) / nullif(known_minutes, 0) as average_value,
    value_minutes,
    known_minutes,
    observed_minutes,
    changes
from by_day
