{{ config(materialized='view') }}

select
    run_id,
    run_date,
    layer,
    asset,
    row_count,
    finished_at,
    row_number() over (partition by run_date, layer, asset order by finished_at desc, run_id desc) = 1 as is_newest
from {{ recorded('rows') }}
