{{ config(
    materialized='incremental',
    incremental_strategy='changed_entities',
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

-- Responses at which our histories do not reach back to their beginnings. There were responses cut short (`days=N`) and
-- a part is missing between two of them; or before the first, which shows by an extreme of one history, because Keepa's
-- figures are of all time: it is from before ours begins.
cut_responses as (
    select
        our_stats.asin,
        our_stats.domain_id,
        our_stats.snapshot_at
    from our_stats
    inner join vendor_figures
        on
            our_stats.asin = vendor_figures.asin
            and our_stats.domain_id = vendor_figures.domain_id
            and our_stats.series = vendor_figures.series
            and our_stats.snapshot_at = vendor_figures.snapshot_at
    where
        vendor_figures.keepa_value_at < our_stats.history_begins_at
        or our_stats.first_observed_at < our_stats.history_begins_at
    group by our_stats.asin, our_stats.domain_id, our_stats.snapshot_at
),

-- Series of which the vendor's maximum is below ours: it may have left out prices that it takes for absurd.
lower_maxima as (
    select
        our_stats.asin,
        our_stats.domain_id,
        our_stats.series,
        our_stats.as_of,
        vendor_figures.keepa_value as highest_kept
    from our_stats
    inner join vendor_figures
        on
            our_stats.asin = vendor_figures.asin
            and our_stats.domain_id = vendor_figures.domain_id
            and our_stats.series = vendor_figures.series
            and our_stats.snapshot_at = vendor_figures.snapshot_at
    where vendor_figures.figure = 'max_value' and vendor_figures.keepa_value between 0 and our_stats.max_value - 1
),

without_outliers as (
    {{ keepa_figures_without_outliers('lower_maxima', tracked_ref(
        'core_keepa_price_change', listens='none', reason='fct_price_stats restates every product that it changes'
    )) | indent(4) }}
),

answers as (
    select
        vendor_figures.asin,
        vendor_figures.domain_id,
        vendor_figures.snapshot_at,
        max(case when our_stats.series is null then 0 else 1 end) = 1 as has_histories,
        max(case when cut_responses.asin is null then 0 else 1 end) = 1 as is_cut
    from vendor_figures
    left join our_stats
        on
            vendor_figures.asin = our_stats.asin
            and vendor_figures.domain_id = our_stats.domain_id
            and vendor_figures.snapshot_at = our_stats.snapshot_at
    left join cut_responses
        on
            vendor_figures.asin = cut_responses.asin
            and vendor_figures.domain_id = cut_responses.domain_id
            and vendor_figures.snapshot_at = cut_responses.snapshot_at
    group by vendor_figures.asin, vendor_figures.domain_id, vendor_figures.snapshot_at
),

answered_figures as (
    select
        asin,
        domain_id,
        snapshot_at,
        figure
    from vendor_figures
    group by asin, domain_id, snapshot_at, figure
),

joined as (
    select
        compared_series.asin,
        compared_series.domain_id,
        compared_series.series,
        figures.figure,
        figures.allowed_difference,
        figures.is_extreme,
        {{ minutes_before('our_figures.as_of', 'figures.figure_minutes') }} as starts_at,
        answers.has_histories,
        answers.is_cut,
        compared_series.snapshot_at,
        our_figures.snapshot_at as our_snapshot_at,
        our_figures.history_begins_at,
        our_figures.unknown_until,
        -- Keepa has null for an extreme that there is not, and -1 for any other figure.
        vendor_figures.keepa_value is null
        and (not figures.is_extreme or answered_figures.figure is null) as is_not_given,
        coalesce(our_figures.our_value, -1) as our_value,
        coalesce(vendor_figures.keepa_value, -1) as keepa_value,
        our_figures.our_value_at,
        vendor_figures.keepa_value_at,
        without_outliers.figure_value as value_without_outliers,
        without_outliers.figure_at as value_at_without_outliers
    from compared_series
    inner join answers
        on
            compared_series.asin = answers.asin
            and compared_series.domain_id = answers.domain_id
            and compared_series.snapshot_at = answers.snapshot_at
    cross join figures
    left join answered_figures
        on
            compared_series.asin = answered_figures.asin
            and compared_series.domain_id = answered_figures.domain_id
            and compared_series.snapshot_at = answered_figures.snapshot_at
            and figures.figure = answered_figures.figure
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
    left join without_outliers
        on
            compared_series.asin = without_outliers.asin
            and compared_series.domain_id = without_outliers.domain_id
            and compared_series.series = without_outliers.series
            and compared_series.snapshot_at = our_figures.snapshot_at
            and figures.figure = without_outliers.figure
),

findings as (
    select
        joined.asin,
        joined.domain_id,
        joined.series,
        joined.figure,
        joined.snapshot_at,
        joined.our_value,
        joined.keepa_value,
        joined.our_value_at,
        joined.keepa_value_at,
        {{ agrees_with_keepa('joined.our_value', 'joined.our_value_at') }} as is_within_tolerance,
        case
            when {{ agrees_with_keepa('joined.our_value', 'joined.our_value_at') }} then 'agrees'
            when {{ agrees_with_keepa('joined.value_without_outliers', 'joined.value_at_without_outliers') }}
                then 'agrees without outliers'
            when joined.is_not_given then 'Keepa gives no such figure'
            when not joined.has_histories then 'the response has no histories'
            when joined.our_snapshot_at is null then 'we have no history'
            when joined.our_snapshot_at < joined.snapshot_at then 'our history is of an older response'
            when
                joined.history_begins_at
                > case when joined.is_extreme then joined.keepa_value_at when joined.is_cut then joined.starts_at end
                then 'our history begins too late'
            when joined.unknown_until > joined.starts_at then 'a part of our history is unreadable'
            else 'differs'
        end as finding
    from joined
)

select
    {{ product_key('findings') }} as product_key,
    findings.asin,
    findings.domain_id,
    findings.series,
    findings.figure,
    findings.snapshot_at,
    findings.our_value,
    findings.keepa_value,
    findings.our_value - findings.keepa_value as difference,
    findings.our_value_at,
    findings.keepa_value_at,
    findings.is_within_tolerance,
    case
        when findings.finding in ('agrees', 'agrees without outliers') then findings.finding
        when findings.finding in ('we have no history', 'our history is of an older response', 'differs') then 'differs'
        else 'not comparable'
    end as status,
    findings.finding
from findings
