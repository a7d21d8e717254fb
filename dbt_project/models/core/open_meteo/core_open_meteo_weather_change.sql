{#- An hour without a value, which the archive has until it has one, replaces none: what is known wins, however old. -#}
{%- set key = ['location_id', 'observed_at', 'variable'] -%}
{{ config(
    materialized='incremental',
    incremental_strategy='newest_snapshot',
    unique_key=key,
    on_schema_change='fail',
) }}

with
newest as (
    {{ newest_snapshot(
        source=weather_values(ref('stg_open_meteo_hourly')),
        key=key,
        columns=['observed_date', 'observed_value', 'is_known', 'dataset'],
        precedence=['is_known', 'run_date', 'snapshot_at'],
    ) | indent(4) }}
)

select
    location_id,
    observed_date,
    observed_at,
    variable,
    observed_value,
    is_known,
    case when is_known then dataset end as dataset,
    snapshot_at,
    run_date
from newest
