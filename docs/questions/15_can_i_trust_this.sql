-- Of which products do our figures differ from Keepa's own, or could not be compared, and how old are their data?
-- Columns: product_key, figures, agree, differ, not_comparable, minutes_behind
select
    mon_keepa_reconciliation.product_key,
    count(*) as figures,
    count(case when mon_keepa_reconciliation.status like 'agrees%' then 1 end) as agree,
    count(case when mon_keepa_reconciliation.status = 'differs' then 1 end) as differ,
    count(case when mon_keepa_reconciliation.status = 'not comparable' then 1 end) as not_comparable,
    max(mon_product_freshness.minutes_behind) as minutes_behind
from monitoring.mon_keepa_reconciliation
left join monitoring.mon_product_freshness
    on mon_keepa_reconciliation.product_key = mon_product_freshness.product_key
group by mon_keepa_reconciliation.product_key
order by differ desc, not_comparable desc, mon_keepa_reconciliation.product_key asc
