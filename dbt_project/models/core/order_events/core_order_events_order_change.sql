{{ config(materialized='view', enabled=source_is_on('order_events')) }}

with
messages as (
    select * from {{ ref('stg_order_events_order_change') }}
),

-- Amazon delivers at least once, and so does what writes to the topic: the first message of a notification counts.
notifications as (
    select *
    from messages
    qualify
        row_number() over (partition by notification_id order by snapshot_at, topic, topic_partition, topic_offset) = 1
)

select
    notification_id,
    order_id,
    marketplace_id,
    change_type,
    order_status,
    fulfilled_by,
    coalesce(changed_at, snapshot_at) as changed_at,
    snapshot_at as notified_at,
    purchased_at,
    items_shipped,
    items_unshipped,
    run_date as observed_date
from notifications
