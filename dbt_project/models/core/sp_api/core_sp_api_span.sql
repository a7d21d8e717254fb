{{ config(materialized='view') }}

select
    'sp_api' as source_name,
    cast(min(purchased_at) as date) as first_date,
    cast(max(purchased_at) as date) as last_date
from {{ ref('core_sp_api_order') }}
