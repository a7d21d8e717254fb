{{ config(materialized='view') }}

select
    'open_meteo' as source_name,
    min(observed_date) as first_date,
    max(observed_date) as last_date
from {{ ref('core_open_meteo_weather_change') }}
