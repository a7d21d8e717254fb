{%- set key = ['asin', 'domain_id', 'series', 'observed_at'] -%}
{{ config(
    materialized='incremental',
    incremental_strategy='newest_snapshot',
    unique_key=key,
    on_schema_change='fail',
) }}

with
newest as (
    {{ newest_snapshot(source=ref('stg_keepa_offer_count'), key=key, columns=['value']) | indent(4) }}
)

select
    asin,
    domain_id,
    series,
    observed_at,
    -- The one series whose value may be negative for good reason: there -1 is a value as any other.
    case when series = 'EXTRA_INFO_UPDATES' or value <> -1 then value end as series_value,
    coalesce(value <> -1 or (series = 'EXTRA_INFO_UPDATES' and value is not null), false) as is_known,
    value is null as is_unreadable,
    snapshot_at,
    run_date
from newest
