-- On which days did the winner of a buy box change, and who lost it to whom?
-- Columns: product_key, observed_date, lost_by, won_by, won_share
select
    product_key,
    observed_date,
    lag(winner_seller_id) over (partition by product_key order by observed_date) as lost_by,
    winner_seller_id as won_by,
    winner_share as won_share
from mart.fct_buy_box_daily
qualify lost_by <> won_by
order by product_key, observed_date
