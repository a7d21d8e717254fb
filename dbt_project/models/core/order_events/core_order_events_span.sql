{{ config(materialized='view', enabled=source_is_on('order_events')) }}

select
    'order_events' as source_name,
    min(observed_date) as first_date,
    max(observed_date) as last_date
from {{ ref('core_order_events_order_change') }}
