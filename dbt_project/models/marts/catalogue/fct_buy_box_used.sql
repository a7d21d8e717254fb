with
intervals as (
    {{ product_intervals(
        'core_keepa_used_box_change', ['seller_id', 'offer_condition', 'is_fba', 'is_held']
    ) | indent(4) }}
)

select
    product_key,
    asin,
    domain_id,
    started_at,
    ended_at,
    ended_at is null as is_open,
    seller_id,
    offer_condition,
    is_fba
from intervals
where is_held
