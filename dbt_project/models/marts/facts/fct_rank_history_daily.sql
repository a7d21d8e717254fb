{{ config(
    materialized='incremental',
    incremental_strategy='changed_entities',
    unique_key=['asin', 'domain_id', 'series', 'category_id', 'observed_date'],
    on_schema_change='fail',
) }}

with
daily as (
    {{ changed_rows('core_keepa_rank_daily', listens='values', since='observed_date') | indent(4) }}
),

rank_references as (
    select * from {{ tracked_ref('core_keepa_rank_reference_daily', listens='values') }}
)

select
    {{ product_key('daily') }} as product_key,
    daily.asin,
    daily.domain_id,
    daily.series,
    daily.category_id,
    daily.observed_date,
    case when daily.series = 'SALES' then rank_references.category_id else daily.category_id end as ranked_category_id,
    daily.series = 'CATEGORY' or coalesce(rank_references.is_whole_day, false) as is_one_category,
    daily.open_rank,
    daily.high_rank,
    daily.low_rank,
    daily.close_rank,
    daily.average_rank,
    daily.rank_minutes,
    daily.ranked_minutes,
    daily.observed_minutes,
    daily.changes
from daily
left join rank_references
    on
        daily.asin = rank_references.asin
        and daily.domain_id = rank_references.domain_id
        and daily.observed_date = rank_references.observed_date
