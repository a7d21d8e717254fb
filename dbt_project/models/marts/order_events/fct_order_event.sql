{{ config(enabled=source_is_on('order_events')) }}

with
changes as (
    select * from {{ ref('core_order_events_order_change') }}
),

-- By the moment of the change, not of the notification: Amazon does not promise to notify in order.
numbered as (
    select
        changes.*,
        row_number() over (
            partition by changes.order_id order by changes.changed_at, changes.notified_at, changes.notification_id
        ) as event_number,
        count(*) over (partition by changes.order_id) as events
    from changes
)

select
    order_id,
    event_number,
    notification_id,
    marketplace_id,
    change_type,
    order_status,
    lag(order_status) over (partition by order_id order by event_number) as status_before,
    event_number = events as is_latest,
    fulfilled_by,
    changed_at,
    lag(changed_at) over (partition by order_id order by event_number) as changed_before_at,
    notified_at,
    purchased_at,
    items_shipped,
    items_unshipped,
    observed_date
from numbered
