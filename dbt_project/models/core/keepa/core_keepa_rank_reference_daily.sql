{{ config(
    materialized='incremental',
    incremental_strategy='changed_days',
    unique_key=['asin', 'domain_id', 'observed_date'],
    on_schema_change='fail',
) }}

with
pieces as (
    {{ step_function_pieces(
        changes=tracked_ref('core_keepa_rank_reference_change', listens='values'),
        snapshots=tracked_ref('core_keepa_product', listens='values'),
        entity=['asin', 'domain_id'],
        value='category_id',
    ) | indent(4) }}
),

by_day as (
    select
        asin,
        domain_id,
        observed_date,
        max(case when is_open then step_value end) as open_category_id,
        max(case when is_close then step_value end) as close_category_id,
        max(step_value) as highest_category_id,
        count(distinct step_value) as categories,
        cast(sum(case when step_value is null then 0 else step_minutes end) as bigint) as referenced_minutes,
        cast(sum(step_minutes) as bigint) as observed_minutes
    from pieces
    group by asin, domain_id, observed_date
)

select
    asin,
    domain_id,
    observed_date,
    coalesce(close_category_id, open_category_id, highest_category_id) as category_id,
    coalesce(categories = 1 and open_category_id = close_category_id and referenced_minutes = observed_minutes, false)
        as is_whole_day,
    referenced_minutes,
    observed_minutes
from by_day
