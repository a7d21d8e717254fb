with
price_types as (
    select * from {{ ref('seed_price_types') }}
)

select
    series,
    price_type_index,
    kind,
    case
        when is_money then 'minor units'
        when kind = 'rank' then 'rank'
        when series = 'RATING' then 'tenths of a star'
        when series = 'COUNT_REVIEWS' then 'reviews'
        when series <> 'EXTRA_INFO_UPDATES' then 'offers'
    end as unit,
    is_money,
    with_shipping,
    is_money
    and series not in ('LISTPRICE', 'TRADE_IN', 'RENT', 'EBAY_NEW_SHIPPING', 'EBAY_USED_SHIPPING')
        as is_offer_price,
    series in ('AMAZON', 'NEW', 'NEW_FBA', 'NEW_FBM_SHIPPING', 'BUY_BOX_SHIPPING') as tells_stock
from price_types
