with
responses as (
    select * from {{ ref('stg_open_meteo_location') }}
),

-- A day has a response of the archive and one of the forecast API, whose cells differ: the archive's counts.
newest as (
    select
        location_id,
        requested_latitude,
        requested_longitude,
        dataset,
        latitude,
        longitude,
        elevation,
        snapshot_at
    from responses
    qualify row_number() over (partition by location_id order by run_date desc, dataset asc, snapshot_at desc) = 1
)

select
    location_id,
    requested_latitude,
    requested_longitude,
    dataset,
    latitude,
    longitude,
    elevation,
    snapshot_at
from newest
