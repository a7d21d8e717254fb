{{ config(materialized='view') }}

with
tables_loaded as (
    select
        run_date,
        "rows" as row_count, -- noqa: RF06
        decoder,
        first_value(decoder) over (partition by table_name order by run_date desc) as newest_decoder
    from {{ ledger('_loads') }}
),

loaded as (
    select
        run_date,
        sum(row_count) as rows_loaded,
        max(case when coalesce(decoder, '') <> coalesce(newest_decoder, '') then 1 else 0 end) as is_of_other_code
    from tables_loaded
    group by run_date
),

states as (
    select
        run_date,
        min(case when is_included then 1 else 0 end) as is_included,
        min(case when is_validated then 1 else 0 end) as is_validated,
        min(case when not is_included then reason end) as excluded_because
    from {{ ledger('_days') }}
    group by run_date
),

answers as (
    select
        run_date,
        count(*) as excluded_answers
    from {{ ledger('_excluded_answers') }}
    group by run_date
),

green_builds as (
    select
        days,
        row_number() over (order by began_at desc, build_id desc) as build_number
    from {{ ledger('_builds') }}
    where state = 'green'
),

known_days as (
    select run_date from loaded
    union
    select run_date from states
)

select
    known_days.run_date,
    loaded.rows_loaded is not null as is_loaded,
    coalesce(loaded.rows_loaded, 0) as rows_loaded,
    coalesce(loaded.is_of_other_code, 0) = 1 as is_of_other_code,
    coalesce(states.is_included, 1) = 1 as is_included,
    coalesce(states.is_validated, 1) = 1 as is_validated,
    states.excluded_because,
    coalesce(answers.excluded_answers, 0) as excluded_answers,
    green_builds.days is not null
    and contains(green_builds.days, cast(known_days.run_date as varchar)) as is_in_marts
from known_days
left join loaded on known_days.run_date = loaded.run_date
left join states on known_days.run_date = states.run_date
left join answers on known_days.run_date = answers.run_date
left join green_builds on green_builds.build_number = 1
