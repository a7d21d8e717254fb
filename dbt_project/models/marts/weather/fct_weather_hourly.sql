{{ config(
    materialized='incremental',
    incremental_strategy='changed_entities',
    unique_key=['location_id', 'observed_at'],
    on_schema_change='fail',
) }}

with
changes as (
    {{ changed_rows('core_open_meteo_weather_change', listens='values') | indent(4) }}
),

hours as (
    select
        location_id,
        observed_date,
        observed_at,
        min(dataset) as first_dataset,
        max(dataset) as last_dataset,
        max(case when variable = 'temperature_2m' then observed_value end) as temperature_2m,
        max(case when variable = 'apparent_temperature' then observed_value end) as apparent_temperature,
        max(case when variable = 'wet_bulb_temperature_2m' then observed_value end) as wet_bulb_temperature_2m,
        max(case when variable = 'relative_humidity_2m' then observed_value end) as relative_humidity_2m,
        max(case when variable = 'precipitation' then observed_value end) as precipitation,
        max(case when variable = 'precipitation_probability' then observed_value end) as precipitation_probability,
        max(case when variable = 'pressure_msl' then observed_value end) as pressure_msl,
        max(case when variable = 'cloud_cover' then observed_value end) as cloud_cover,
        max(case when variable = 'wind_speed_10m' then observed_value end) as wind_speed_10m,
        max(case when variable = 'wind_gusts_10m' then observed_value end) as wind_gusts_10m,
        max(case when variable = 'wind_direction_10m' then observed_value end) as wind_direction_10m,
        max(case when variable = 'et0_fao_evapotranspiration' then observed_value end) as et0_fao_evapotranspiration,
        max(case when variable = 'weather_code' then observed_value end) as weather_code
    from changes
    group by location_id, observed_date, observed_at
)

select
    location_id,
    observed_date,
    observed_at,
    first_dataset is not null as is_observed,
    case when first_dataset = last_dataset then first_dataset when first_dataset is not null then 'mixed' end
        as dataset,
    temperature_2m,
    apparent_temperature,
    wet_bulb_temperature_2m,
    relative_humidity_2m,
    precipitation,
    precipitation_probability,
    pressure_msl,
    cloud_cover,
    wind_speed_10m,
    wind_gusts_10m,
    wind_direction_10m,
    et0_fao_evapotranspiration,
    cast(weather_code as bigint) as weather_code
from hours
