{{ config(materialized='view') }}

with
builds as (
    select
        run_id,
        first_date,
        last_date,
        layer,
        model,
        seconds,
        rows_written,
        rows_total,
        is_restated,
        finished_at,
        lag(rows_total) over (partition by model order by finished_at, first_date, run_id) as previous_rows_total,
        row_number() over (partition by model, is_restated order by finished_at, first_date, run_id) as build_number
    from {{ recorded('model_builds') }}
    where status = 'success'
),

-- Of the same kind, and the last 30 only: a join with all of them would grow with the square of the builds.
earlier as (
    select
        builds.model,
        builds.is_restated,
        builds.build_number,
        median(past.seconds) as median_seconds
    from builds
    inner join builds as past
        on
            builds.model = past.model
            and builds.is_restated = past.is_restated
            and past.build_number between builds.build_number - 30 and builds.build_number - 1
    group by builds.model, builds.is_restated, builds.build_number
)

select
    builds.run_id,
    builds.first_date,
    builds.last_date,
    builds.layer,
    builds.model,
    builds.seconds,
    earlier.median_seconds,
    builds.seconds / nullif(earlier.median_seconds, 0) as slowdown,
    builds.rows_written,
    builds.rows_total,
    builds.rows_total - builds.previous_rows_total as rows_growth,
    builds.is_restated,
    builds.finished_at
from builds
left join earlier
    on
        builds.model = earlier.model
        and builds.is_restated = earlier.is_restated
        and builds.build_number = earlier.build_number
