{{ config(
    materialized='incremental',
    incremental_strategy='changed_products',
    unique_key=['asin', 'domain_id', 'series', 'figure'],
    on_schema_change='fail',
) }}

with
our_stats as (
    {{ changed_rows('fct_price_stats', listens='values') | indent(4) }}
),

vendor_stats as (
    {{ changed_rows('stg_keepa_stats', listens='window') | indent(4) }}
),

figures as (
    {{ figure_rows() | indent(4) }}
),

-- Keepa writes -1 where it has no figure, and so do we here.
our_figures as (
    {{ figures_long('our_stats') | indent(4) }}
),

-- One response may be filed under several days.
vendor_figures as (
    select
        vendor_stats.asin,
        vendor_stats.domain_id,
        vendor_stats.series,
        vendor_stats.snapshot_at,
        figures.figure,
        vendor_stats.value as keepa_value,
        vendor_stats.value_at as keepa_value_at
    from vendor_stats
    inner join figures on vendor_stats.stat = figures.stat
    where vendor_stats.series <> 'PRODUCT'
    qualify row_number() over (
        partition by
            vendor_stats.asin, vendor_stats.domain_id, vendor_stats.series, vendor_stats.snapshot_at, vendor_stats.stat
        order by vendor_stats.run_date desc
    ) = 1
),

-- Which response's figures a series is compared with: the newest one that has any of it, but none from before our
-- own figures. A series that was not requested with the newest response has figures as of an earlier one, on both
-- sides.
our_series as (
    select
        asin,
        domain_id,
        series,
        snapshot_at
    from our_stats
),

answers as (
    select
        asin,
        domain_id,
        snapshot_at
    from vendor_figures
    group by asin, domain_id, snapshot_at
),

vendor_series as (
    select
        asin,
        domain_id,
        series,
        max(snapshot_at) as snapshot_at
    from vendor_figures
    where keepa_value <> -1
    group by asin, domain_id, series
),

compared_series as (
    select
        coalesce(our_series.asin, vendor_series.asin) as asin,
        coalesce(our_series.domain_id, vendor_series.domain_id) as domain_id,
        coalesce(our_series.series, vendor_series.series) as series,
        greatest(
            coalesce(our_series.snapshot_at, vendor_series.snapshot_at),
            coalesce(vendor_series.snapshot_at, our_series.snapshot_at)
        ) as snapshot_at
    from our_series
    full outer join vendor_series
        on
            our_series.asin = vendor_series.asin
            and our_series.domain_id = vendor_series.domain_id
            and our_series.series = vendor_series.series
),

joined as (
    select
        compared_series.asin,
        compared_series.domain_id,
        compared_series.series,
        figures.figure,
        figures.allowed_difference,
        compared_series.snapshot_at,
        our_figures.snapshot_at as our_snapshot_at,
        our_figures.first_observed_at,
        coalesce(our_figures.our_value, -1) as our_value,
        coalesce(vendor_figures.keepa_value, -1) as keepa_value,
        our_figures.our_value_at,
        vendor_figures.keepa_value_at
    from compared_series
    inner join answers
        on
            compared_series.asin = answers.asin
            and compared_series.domain_id = answers.domain_id
            and compared_series.snapshot_at = answers.snapshot_at
    cross join figures
    left join our_figures
        on
            compared_series.asin = our_figures.asin
            and compared_series.domain_id = our_figures.domain_id
            and compared_series.series = our_figures.series
            and figures.figure = our_figures.figure
    left join vendor_figures
        on
            compared_series.asin = vendor_figures.asin
            and compared_series.domain_id = vendor_figures.domain_id
            and compared_series.series = vendor_figures.series
            and compared_series.snapshot_at = vendor_figures.snapshot_at
            and figures.figure = vendor_figures.figure
),

differences as (
    select
        joined.asin,
        joined.domain_id,
        joined.series,
        joined.figure,
        joined.snapshot_at,
        joined.our_snapshot_at,
        joined.first_observed_at,
        joined.our_value,
        joined.keepa_value,
        joined.our_value - joined.keepa_value as difference,
        joined.our_value_at,
        joined.keepa_value_at,
        case
            when (joined.our_value = -1) <> (joined.keepa_value = -1) then false
            when (joined.our_value_at is distinct from joined.keepa_value_at) then false
            else abs(joined.our_value - joined.keepa_value) <= joined.allowed_difference
        end as is_within_tolerance
    from joined
)

select
    {{ product_key('differences') }} as product_key,
    differences.asin,
    differences.domain_id,
    differences.series,
    differences.figure,
    differences.snapshot_at,
    differences.our_value,
    differences.keepa_value,
    differences.difference,
    differences.our_value_at,
    differences.keepa_value_at,
    differences.is_within_tolerance,
    case
        when differences.is_within_tolerance then 'agrees'
        when differences.our_snapshot_at is null then 'we have no history'
        when differences.our_snapshot_at < differences.snapshot_at then 'our history is of an older answer'
        when differences.keepa_value_at < differences.first_observed_at then 'our history begins too late'
        else 'differs'
    end as finding
from differences
