{{ config(materialized='view') }}

with
observed as (
    {{ date_spans([
        ref('core_keepa_price_daily'),
        ref('core_keepa_rank_daily'),
        ref('core_keepa_review_daily'),
        ref('core_keepa_offer_daily'),
        ref('core_buy_box_daily'),
    ]) | indent(4) }}
)

select
    'keepa' as source_name,
    min(first_date) as first_date,
    max(last_date) as last_date
from observed
