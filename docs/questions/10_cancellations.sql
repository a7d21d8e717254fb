-- Which share of the ordered units was cancelled, per marketplace and way of fulfilment?
-- Columns: marketplace_code, fulfilled_by, units_ordered, units_cancelled, cancelled_percent
select
    marketplace_code,
    fulfilled_by,
    sum(units_ordered) as units_ordered,
    sum(units_cancelled) as units_cancelled,
    round(100.0 * sum(units_cancelled) / nullif(sum(units_ordered), 0), 1) as cancelled_percent
from mart.fct_order_item
group by marketplace_code, fulfilled_by
order by marketplace_code, fulfilled_by
