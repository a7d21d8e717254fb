select
    location_id,
    dataset,
    snapshot_at,
    requested_latitude,
    requested_longitude,
    latitude,
    longitude,
    elevation,
    timezone,
    utc_offset_seconds,
    _run_date as run_date,
    _source_object as source_object,
    _loaded_at as loaded_at
from {{ source('raw', 'open_meteo_location') }}
where {{ is_included('open_meteo', 'weather', 'location_id') }}
