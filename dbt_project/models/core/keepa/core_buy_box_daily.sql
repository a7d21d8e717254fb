{{ config(
    materialized='incremental',
    incremental_strategy='touched_days',
    unique_key=['asin', 'domain_id', 'observed_date'],
    on_schema_change='fail',
    meta={'touches': ['fct_buy_box_daily', 'fct_buy_box_seller_daily']},
) }}

with
pieces as (
    {{ step_function_pieces(
        changes=ref('core_keepa_buy_box_change'),
        products=ref('core_keepa_product'),
        key=['asin', 'domain_id'],
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

ranked as (
    select
        sellers.asin,
        sellers.domain_id,
        sellers.observed_date,
        sellers.seller_id,
        sellers.won_minutes,
        count(*) over (partition by sellers.asin, sellers.domain_id, sellers.observed_date) as sellers,
        row_number() over (
            partition by sellers.asin, sellers.domain_id, sellers.observed_date
            order by sellers.won_minutes desc, sellers.seller_id asc
        ) as place
    from {{ ref('core_buy_box_seller_daily') }} as sellers
    inner join by_day
        on
            sellers.asin = by_day.asin
            and sellers.domain_id = by_day.domain_id
            and sellers.observed_date = by_day.observed_date
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
