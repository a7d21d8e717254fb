{{ config(materialized='view') }}

select
    source,
    stream,
    entity,
    run_date,
    reason
from {{ ledger('_excluded_answers') }}
