{{ config(materialized='view') }}

select
    run_id,
    first_date,
    last_date,
    layer,
    model,
    test_name,
    status,
    failing_rows,
    seconds,
    finished_at,
    row_number() over (partition by test_name order by finished_at desc, first_date desc, run_id desc) = 1 as is_newest
from {{ recorded('test_results') }}
