{%- set columns = [
    'one_time_amount',
    'one_time_percent',
    'subscribe_and_save_amount',
    'subscribe_and_save_percent',
    'is_offered',
] -%}
with
intervals as (
    {{ product_intervals('core_keepa_coupon_change', columns) | indent(4) }}
)

select
    product_key,
    asin,
    domain_id,
    started_at,
    ended_at,
    ended_at is null as is_open,
    currency,
    one_time_amount as one_time_amount_minor,
    {{ to_major_units('one_time_amount', 'minor_digits') }} as one_time_amount,
    one_time_percent,
    subscribe_and_save_amount as subscribe_and_save_amount_minor,
    {{ to_major_units('subscribe_and_save_amount', 'minor_digits') }} as subscribe_and_save_amount,
    subscribe_and_save_percent
from intervals
where is_offered
