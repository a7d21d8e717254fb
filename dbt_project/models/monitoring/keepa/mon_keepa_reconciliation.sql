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

told_stats as (
    {{ changed_rows('stg_keepa_stats', listens='window') | indent(4) }}
),

figures as (
    {{ figure_rows() | indent(4) }}
),

-- The vendor writes -1 where it has no figure, and so do we here.
ours as (
    {{ figures_long('our_stats') | indent(4) }}
),

-- One answer may be filed under several days.
vendor as (
    select
        told.asin,
        told.domain_id,
        told.series,
        told.snapshot_at,
        figures.figure,
        told.value as keepa_value,
        told.value_at as keepa_value_at
    from told_stats as told
    inner join figures on told.stat = figures.stat
    where told.series <> 'PRODUCT'
    qualify row_number() over (
        partition by told.asin, told.domain_id, told.series, told.snapshot_at, told.stat order by told.run_date desc
    ) = 1
),

-- Which answer's figures a series is held against: the newest one that says anything of it, but none from before our
-- own figures. A series that the newest answer was not asked for has figures as of an earlier one, on both sides.
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
    from vendor
    group by asin, domain_id, snapshot_at
),

told_series as (
    select
        asin,
        domain_id,
        series,
        max(snapshot_at) as snapshot_at
    from vendor
    where keepa_value <> -1
    group by asin, domain_id, series
),

compared as (
    select
        coalesce(our_series.asin, told_series.asin) as asin,
        coalesce(our_series.domain_id, told_series.domain_id) as domain_id,
        coalesce(our_series.series, told_series.series) as series,
        greatest(
            coalesce(our_series.snapshot_at, told_series.snapshot_at),
            coalesce(told_series.snapshot_at, our_series.snapshot_at)
        ) as snapshot_at
    from our_series
    full outer join told_series
        on
            our_series.asin = told_series.asin
            and our_series.domain_id = told_series.domain_id
            and our_series.series = told_series.series
),

beside as (
    select
        compared.asin,
        compared.domain_id,
        compared.series,
        figures.figure,
        figures.allowed_difference,
        compared.snapshot_at,
        ours.snapshot_at as our_snapshot_at,
        ours.first_observed_at,
        coalesce(ours.our_value, -1) as our_value,
        coalesce(vendor.keepa_value, -1) as keepa_value,
        ours.our_value_at,
        vendor.keepa_value_at
    from compared
    inner join answers
        on
            compared.asin = answers.asin
            and compared.domain_id = answers.domain_id
            and compared.snapshot_at = answers.snapshot_at
    cross join figures
    left join ours
        on
            compared.asin = ours.asin
            and compared.domain_id = ours.domain_id
            and compared.series = ours.series
            and figures.figure = ours.figure
    left join vendor
        on
            compared.asin = vendor.asin
            and compared.domain_id = vendor.domain_id
            and compared.series = vendor.series
            and compared.snapshot_at = vendor.snapshot_at
            and figures.figure = vendor.figure
),

differences as (
    select
        beside.asin,
        beside.domain_id,
        beside.series,
        beside.figure,
        beside.snapshot_at,
        beside.our_snapshot_at,
        beside.first_observed_at,
        beside.our_value,
        beside.keepa_value,
        beside.our_value - beside.keepa_value as difference,
        beside.our_value_at,
        beside.keepa_value_at,
        case
            when (beside.our_value = -1) <> (beside.keepa_value = -1) then false
            when (beside.our_value_at is distinct from beside.keepa_value_at) then false
            else abs(beside.our_value - beside.keepa_value) <= beside.allowed_difference
        end as is_within_tolerance
    from beside
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
