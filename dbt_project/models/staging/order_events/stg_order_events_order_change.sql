{{ config(tags=['order']) }}

select
    topic,
    topic_partition,
    topic_offset,
    snapshot_at,
    sent_at,
    notification_id,
    order_id,
    marketplace_id,
    change_type,
    changed_at,
    order_status,
    fulfilled_by,
    purchased_at,
    items_shipped,
    items_unshipped,
    _run_date as run_date,
    _source_object as source_object,
    _loaded_at as loaded_at
from {{ source('raw', 'order_events_order_change') }}
where {{ is_included('order_events', 'order_change', 'order_id') }}
