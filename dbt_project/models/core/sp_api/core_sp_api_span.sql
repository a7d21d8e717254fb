{{ config(materialized='view') }}

select
    cast(min(purchased_at) as date) as first_date,
    cast(max(purchased_at) as date) as last_date
from {{ ref('core_sp_api_order') }}
