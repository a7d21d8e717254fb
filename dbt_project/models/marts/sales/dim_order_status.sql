with
statuses as (
    select * from {{ ref('seed_order_statuses') }}
)

select
    order_status,
    v0_status,
    label,
    is_pending,
    is_cancelled,
    is_final
from statuses
