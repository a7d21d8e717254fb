{%- set key = ['asin', 'domain_id', 'series'] -%}
{{ config(
    materialized='incremental',
    incremental_strategy='changed_entities',
    unique_key=key,
    on_schema_change='fail',
) }}

with
prices as (
    {{ changed_rows('core_keepa_price_change', listens='every_row') | indent(4) }}
),

ranks as (
    {{ changed_rows('core_keepa_rank_change', listens='every_row') | indent(4) }}
),

reviews as (
    {{ changed_rows('core_keepa_review_change', listens='every_row') | indent(4) }}
),

offer_counts as (
    {{ changed_rows('core_keepa_offer_count_change', listens='every_row') | indent(4) }}
),

-- `vendor_value` is as the vendor writes it: -1 where there is no value. Null: unreadable, so unknown.
points as (
    select
        asin,
        domain_id,
        series,
        'price' as series_kind,
        observed_at,
        case when is_unreadable then null else coalesce(landed_price, -1) end as vendor_value,
        currency,
        snapshot_at
    from prices
    union all
    select
        asin,
        domain_id,
        series,
        'rank' as series_kind,
        observed_at,
        case when is_unreadable then null else coalesce(sales_rank, -1) end as vendor_value,
        cast(null as varchar) as currency,
        snapshot_at
    from ranks
    where series = 'SALES'
    union all
    select
        asin,
        domain_id,
        series,
        'review' as series_kind,
        observed_at,
        case when is_unreadable then null else coalesce(series_value, -1) end as vendor_value,
        cast(null as varchar) as currency,
        snapshot_at
    from reviews
    union all
    select
        asin,
        domain_id,
        series,
        case when series = 'EXTRA_INFO_UPDATES' then 'refresh' else 'offer_count' end as series_kind,
        observed_at,
        case when is_unreadable then null else coalesce(series_value, -1) end as vendor_value,
        cast(null as varchar) as currency,
        snapshot_at
    from offer_counts
),

-- A history is as of the newest response that has it, and then of that response's minute.
histories as (
    select
        asin,
        domain_id,
        series,
        series_kind,
        max(currency) as currency,
        max(snapshot_at) as snapshot_at,
        min(observed_at) as first_observed_at,
        greatest(date_trunc('minute', max(snapshot_at)), max(observed_at)) as as_of,
        min(case when vendor_value >= 0 and series_kind <> 'refresh' then vendor_value end) as min_value,
        max(case when vendor_value >= 0 and series_kind <> 'refresh' then vendor_value end) as max_value
    from points
    group by asin, domain_id, series, series_kind
),

steps as (
    select
        points.asin,
        points.domain_id,
        points.series,
        points.observed_at,
        points.vendor_value,
        histories.min_value,
        histories.max_value,
        histories.as_of,
        lead(points.observed_at) over (
            partition by points.asin, points.domain_id, points.series order by points.observed_at
        ) as next_observed_at
    from points
    inner join histories
        on
            points.asin = histories.asin
            and points.domain_id = histories.domain_id
            and points.series = histories.series
),

all_time as (
    select
        asin,
        domain_id,
        series,
        max(case when next_observed_at is null then vendor_value end) as current_value,
        min(case when vendor_value = min_value then observed_at end) as min_at,
        min(case when vendor_value = max_value then observed_at end) as max_at,
        max(case when vendor_value is null then coalesce(next_observed_at, as_of) end) as unknown_until
    from steps
    group by asin, domain_id, series
),

-- What is left of each response: the points that no newer one has, and how far back it and the newer ones reach.
responses as (
    select
        asin,
        domain_id,
        series,
        greatest(snapshot_at, max(observed_at)) as ends_at,
        min(min(observed_at)) over (
            partition by asin, domain_id, series
            order by snapshot_at desc rows between unbounded preceding and current row
        ) as reaches_back_to,
        row_number() over (partition by asin, domain_id, series order by snapshot_at desc) as place
    from points
    group by asin, domain_id, series, snapshot_at
),

-- A response cut short (`days=N`) continues the one before if it begins before that one ends; else a part is missing.
continuous as (
    select
        newer.asin,
        newer.domain_id,
        newer.series,
        max(newer.reaches_back_to) as history_begins_at
    from responses as newer
    inner join responses as older
        on
            newer.asin = older.asin
            and newer.domain_id = older.domain_id
            and newer.series = older.series
            and older.place = newer.place + 1
    where older.ends_at < newer.reaches_back_to
    group by newer.asin, newer.domain_id, newer.series
),

windows as (
    select 30 as window_days
    union all
    select 90 as window_days
    union all
    select 180 as window_days
    union all
    select 365 as window_days
),

history_windows as (
    select
        histories.asin,
        histories.domain_id,
        histories.series,
        histories.as_of,
        products.tracking_since,
        windows.window_days,
        {{ days_before('histories.as_of', 'windows.window_days') }} as starts_at
    from histories
    cross join windows
    left join {{ tracked_ref('core_keepa_product', listens='every_row') }} as products
        on histories.asin = products.asin and histories.domain_id = products.domain_id
),

-- Out of stock counts from when Keepa began to look; averages count from the first point in any case.
stock_windows as (
    select
        asin,
        domain_id,
        series,
        as_of,
        window_days,
        starts_at,
        greatest(starts_at, coalesce(tracking_since, starts_at)) as stock_starts_at
    from history_windows
),

-- A step is an interval of a window if it is in force at its start or later; the last step always is.
intervals as (
    select
        stock_windows.asin,
        stock_windows.domain_id,
        stock_windows.series,
        stock_windows.window_days,
        stock_windows.as_of,
        stock_windows.stock_starts_at,
        steps.vendor_value,
        greatest(steps.observed_at, stock_windows.starts_at) as begins_at,
        greatest(steps.observed_at, stock_windows.stock_starts_at) as stock_begins_at,
        coalesce(steps.next_observed_at, stock_windows.as_of) as ends_at,
        steps.next_observed_at is null or steps.next_observed_at > stock_windows.stock_starts_at as is_stock_interval
    from stock_windows
    inner join steps
        on
            stock_windows.asin = steps.asin
            and stock_windows.domain_id = steps.domain_id
            and stock_windows.series = steps.series
            and (steps.next_observed_at is null or stock_windows.starts_at < steps.next_observed_at)
),

interval_minutes as (
    select
        asin,
        domain_id,
        series,
        window_days,
        vendor_value,
        is_stock_interval,
        case when vendor_value >= 0 then {{ minutes_between('begins_at', 'ends_at') }} else 0 end as value_minutes,
        case
            when vendor_value >= 0 and ends_at > stock_begins_at
                then {{ minutes_between('stock_begins_at', 'ends_at') }}
            else 0
        end as stock_minutes,
        case
            when vendor_value is null and ends_at > stock_begins_at
                then {{ minutes_between('stock_begins_at', 'ends_at') }}
            else 0
        end as unknown_minutes,
        {{ minutes_between('stock_starts_at', 'as_of') }} as window_minutes
    from intervals
),

window_sums as (
    select
        asin,
        domain_id,
        series,
        window_days,
        sum(vendor_value * value_minutes) as weighted_minutes,
        sum(value_minutes) as value_minutes,
        sum(stock_minutes) as stock_minutes,
        sum(case when is_stock_interval and vendor_value is not null then 1 else 0 end) as stock_intervals,
        max(window_minutes) - sum(unknown_minutes) as window_minutes,
        max(case when is_stock_interval then vendor_value end) as best_value
    from interval_minutes
    group by asin, domain_id, series, window_days
),

-- Where the window has one interval only, the vendor has 0 or 100, even if it began late.
derived as (
    select
        asin,
        domain_id,
        series,
        window_days,
        {{ floor_divide('weighted_minutes', 'value_minutes') }} as average_value,
        case
            when stock_intervals = 0 then null
            when stock_intervals = 1 and best_value >= 0 then 0
            when stock_intervals = 1 then 100
            else 100 - {{ floor_divide('100 * stock_minutes', 'window_minutes') }}
        end as out_of_stock_pct
    from window_sums
),

pivoted as (
    select
        asin,
        domain_id,
        series,
        max(case when window_days = 30 then average_value end) as avg_30d,
        max(case when window_days = 90 then average_value end) as avg_90d,
        max(case when window_days = 180 then average_value end) as avg_180d,
        max(case when window_days = 365 then average_value end) as avg_365d,
        max(case when window_days = 30 then out_of_stock_pct end) as out_of_stock_pct_30d,
        max(case when window_days = 90 then out_of_stock_pct end) as out_of_stock_pct_90d,
        max(case when window_days = 180 then out_of_stock_pct end) as out_of_stock_pct_180d,
        max(case when window_days = 365 then out_of_stock_pct end) as out_of_stock_pct_365d
    from derived
    group by asin, domain_id, series
)

select
    {{ product_key('histories') }} as product_key,
    histories.asin,
    histories.domain_id,
    histories.series,
    histories.currency,
    histories.snapshot_at,
    histories.as_of,
    histories.first_observed_at,
    coalesce(continuous.history_begins_at, histories.first_observed_at) as history_begins_at,
    all_time.unknown_until,
    -- The one series in which a number below zero is a value.
    case
        when all_time.current_value >= 0 or histories.series_kind = 'refresh' then all_time.current_value
    end as current_value,
    case when histories.series_kind <> 'refresh' then pivoted.avg_30d end as avg_30d,
    case when histories.series_kind <> 'refresh' then pivoted.avg_90d end as avg_90d,
    case when histories.series_kind <> 'refresh' then pivoted.avg_180d end as avg_180d,
    case when histories.series_kind <> 'refresh' then pivoted.avg_365d end as avg_365d,
    case when histories.series_kind = 'price' then pivoted.out_of_stock_pct_30d end as out_of_stock_pct_30d,
    case when histories.series_kind = 'price' then pivoted.out_of_stock_pct_90d end as out_of_stock_pct_90d,
    case when histories.series_kind = 'price' then pivoted.out_of_stock_pct_180d end as out_of_stock_pct_180d,
    case when histories.series_kind = 'price' then pivoted.out_of_stock_pct_365d end as out_of_stock_pct_365d,
    histories.min_value,
    all_time.min_at,
    histories.max_value,
    all_time.max_at
from histories
inner join all_time on {{ same_key('histories', 'all_time', key) }}
inner join pivoted on {{ same_key('histories', 'pivoted', key) }}
left join continuous on {{ same_key('histories', 'continuous', key) }}
