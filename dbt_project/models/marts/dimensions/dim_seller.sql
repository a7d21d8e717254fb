with
wins as (
    select * from {{ ref('core_keepa_buy_box_change') }}
)

select
    seller_id,
    min(observed_at) as first_won_at,
    max(observed_at) as last_won_at,
    cast(count(*) as bigint) as times_won,
    cast(count(distinct cast(domain_id as varchar) || '-' || asin) as bigint) as products,
    cast(count(distinct domain_id) as bigint) as marketplaces
from wins
where seller_id is not null
group by seller_id
