{{ config(materialized='view') }}

with
loads as (
    select run_date
    from {{ ledger('_loads') }}
    where table_name = 'sp_api_order'
),

excluded as (
    select run_date
    from {{ ledger('_days') }}
    where source = 'sp_api' and stream = 'order' and not is_included
)

select loads.run_date
from loads
left join excluded on loads.run_date = excluded.run_date
where excluded.run_date is null
