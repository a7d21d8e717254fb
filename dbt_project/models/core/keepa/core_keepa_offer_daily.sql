{{ config(
    materialized='incremental',
    incremental_strategy='changed_days',
    unique_key=['asin', 'domain_id', 'series', 'observed_date'],
    on_schema_change='fail',
) }}

{{ series_by_day(
    changes=tracked_ref('core_keepa_offer_count_change', listens='values'),
    snapshots=tracked_ref('core_keepa_product', listens='values'),
) }}
