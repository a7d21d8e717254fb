{{ config(
    materialized='incremental',
    incremental_strategy='changed_days',
    unique_key=['asin', 'domain_id', 'observed_date'],
    on_schema_change='fail',
) }}

with
pieces as (
    {{ step_function_pieces(
        changes=tracked_ref('core_keepa_buy_box_change', listens='values'),
        snapshots=tracked_ref('core_keepa_product', listens='values'),
        entity=['asin', 'domain_id'],
        value='seller_id',
    ) | indent(4) }}
),

by_day as (
    select
        asin,
        domain_id,
        observed_date,
        max(case when is_open then step_value end) as open_seller_id,
        max(case when is_close then step_value end) as close_seller_id,
        cast(sum(case when step_value is null then 0 else step_minutes end) as bigint) as won_minutes,
        cast(sum(step_minutes) as bigint) as observed_minutes,
        cast(sum(is_change) as bigint) as changes
    from pieces
    group by asin, domain_id, observed_date
),

seller_days as (
    select * from {{ tracked_ref(
        'core_buy_box_seller_daily',
        listens='none',
        reason='both are restated from the same points and snapshots',
    ) }}
),

ranked as (
    select
        seller_days.asin,
        seller_days.domain_id,
        seller_days.observed_date,
        seller_days.seller_id,
        seller_days.won_minutes,
        count(*) over (partition by seller_days.asin, seller_days.domain_id, seller_days.observed_date) as sellers,
        row_number() over (
            partition by seller_days.asin, seller_days.domain_id, seller_days.observed_date
            order by seller_days.won_minutes desc, seller_days.seller_id asc
        ) as place
    from seller_days
    inner join by_day
        on
            seller_days.asin = by_day.asin
            and seller_days.domain_id = by_day.domain_id
            and seller_days.observed_date = by_day.observed_date
)

select
    by_day.asin,
    by_day.domain_id,
    by_day.observed_date,
    by_day.open_seller_id,
    by_day.close_seller_id,
    ranked.seller_id as winner_seller_id,
    cast(coalesce(ranked.won_minutes, 0) as bigint) as winner_minutes,
    cast(coalesce(ranked.sellers, 0) as bigint) as sellers,
    by_day.won_minutes,
    by_day.observed_minutes,
    by_day.changes
from by_day
left join ranked
    on
        by_day.asin = ranked.asin
        and by_day.domain_id = ranked.domain_id
        and by_day.observed_date = ranked.observed_date
        and ranked.place = 1
