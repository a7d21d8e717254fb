{{ config(
    materialized='incremental',
    incremental_strategy='changed_days',
    unique_key=['asin', 'domain_id', 'series', 'category_id', 'observed_date'],
    on_schema_change='fail',
) }}

with
by_day as (
    {{ step_function_by_day(
        changes=tracked_ref('core_keepa_rank_change', listens='values'),
        snapshots=tracked_ref('core_keepa_product', listens='values'),
        entity=['asin', 'domain_id'],
        history=['series', 'category_id'],
        value='sales_rank',
    ) | indent(4) }}
)

select
    asin,
    domain_id,
    series,
    category_id,
    observed_date,
    open_value as open_rank,
    high_value as high_rank,
    low_value as low_rank,
    close_value as close_rank,
    cast(value_minutes as double) / nullif(known_minutes, 0) as average_rank,
    value_minutes as rank_minutes,
    known_minutes as ranked_minutes,
    observed_minutes,
    changes
from by_day
