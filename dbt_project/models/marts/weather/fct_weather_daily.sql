{{ config(
    materialized='incremental',
    incremental_strategy='changed_entities',
    unique_key=['location_id', 'observed_date'],
    on_schema_change='fail',
) }}

with
hours as (
    {{ changed_rows('fct_weather_hourly', listens='values') | indent(4) }}
),

days as (
    select
        location_id,
        observed_date,
        min(dataset) as first_dataset,
        max(dataset) as last_dataset,
        cast(count(*) as bigint) as hours_listed,
        cast(count(case when is_observed then 1 end) as bigint) as hours_observed,
        sum(temperature_2m) as temperature_sum,
        cast(count(temperature_2m) as bigint) as temperature_hours,
        min(temperature_2m) as min_temperature,
        max(temperature_2m) as max_temperature,
        min(apparent_temperature) as min_apparent_temperature,
        max(apparent_temperature) as max_apparent_temperature,
        sum(precipitation) as precipitation_observed,
        cast(count(precipitation) as bigint) as precipitation_hours,
        cast(count(case when precipitation > 0 then 1 end) as bigint) as wet_hours,
        max(wind_gusts_10m) as max_wind_gusts
    from hours
    group by location_id, observed_date
)

select
    location_id,
    observed_date,
    case when first_dataset = last_dataset then first_dataset when first_dataset is not null then 'mixed' end
        as dataset,
    hours_listed,
    hours_observed,
    temperature_hours = 24 and precipitation_hours = 24 as is_complete,
    temperature_sum,
    temperature_hours,
    cast(temperature_sum as double) / nullif(temperature_hours, 0) as average_temperature,
    min_temperature,
    max_temperature,
    min_apparent_temperature,
    max_apparent_temperature,
    precipitation_observed,
    precipitation_hours,
    case when precipitation_hours = 24 then precipitation_observed end as precipitation_total,
    wet_hours,
    max_wind_gusts
from days
