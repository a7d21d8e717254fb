{{ config(materialized='view') }}

with
built as (
    select
        layer,
        asset,
        max(run_date) as newest_run_date,
        max(finished_at) as newest_finished_at
    from {{ recorded('rows') }}
    group by layer, asset
),

loaded as (
    select max(newest_run_date) as newest_run_date
    from built
)

select
    built.layer,
    built.asset,
    built.newest_run_date,
    built.newest_finished_at,
    cast({{ days_between('built.newest_run_date', 'loaded.newest_run_date') }} as bigint) as days_behind
from built
cross join loaded
