{{ config(materialized='view') }}

select
    run_id,
    run_date,
    airbyte_job_id,
    rows_loaded,
    models_built,
    models_failed,
    tests_passed,
    tests_warned,
    tests_failed,
    models_failed = 0 and tests_failed = 0 as has_succeeded,
    started_at,
    finished_at,
    seconds
from {{ recorded('runs') }}
