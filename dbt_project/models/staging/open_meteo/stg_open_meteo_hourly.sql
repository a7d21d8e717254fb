select
    location_id,
    observed_at,
    snapshot_at,
    dataset,
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
    weather_code,
    _run_date as run_date,
    _source_object as source_object,
    _loaded_at as loaded_at
from {{ source('raw', 'open_meteo_hourly') }}
where {{ is_included('open_meteo', 'weather', 'location_id') }}
