{{ config(
    materialized='incremental',
    incremental_strategy='changed_days',
    unique_key=['asin', 'domain_id', 'observed_date', 'seller_id'],
    on_schema_change='fail',
) }}

with
pieces as (
    {{ step_function_pieces(
        changes=tracked_ref('core_keepa_buy_box_change', listens='values'),
        snapshots=tracked_ref('core_keepa_product', listens='values'),
        entity=['asin', 'domain_id'],
        value='seller_id',
    ) | indent(4) }}
)

select
    asin,
    domain_id,
    observed_date,
    step_value as seller_id,
    cast(sum(step_minutes) as bigint) as won_minutes
from pieces
where step_value is not null
group by asin, domain_id, observed_date, step_value
having sum(step_minutes) > 0
