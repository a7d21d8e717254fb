{#-
    Keepa leaves absurd prices out of its `max` and of its averages, and out of nothing else (seen on one product with its
    whole history, whose offer at 199900 cents it left out; the rule is not published). Which ones shows in its
    maximum: what is above it was left out.

    So that no wrong maximum passes for this, each price that was left out has to be absurd: more than
    `keepa_outlier_times_mean` times the time-weighted mean of all of the history.
-#}

{#-
    What our figures are without the prices above `highest_kept`, one row per figure: asin, domain_id, series, figure,
    figure_value and figure_at. Only of the series in `series` (asin, domain_id, series, as_of, highest_kept) whose
    prices above it are absurd. `prices`: the points of all prices.
-#}
{% macro keepa_figures_without_outliers(series, prices) -%}
select
    kept.asin,
    kept.domain_id,
    kept.series,
    kept.figure,
    kept.figure_value,
    kept.figure_at
from (
    with
    steps as (
        select
            wanted.asin,
            wanted.domain_id,
            wanted.series,
            wanted.as_of,
            wanted.highest_kept,
            points.observed_at,
            points.landed_price,
            coalesce(
                lead(points.observed_at) over (
                    partition by points.asin, points.domain_id, points.series order by points.observed_at
                ),
                wanted.as_of
            ) as ends_at
        from {{ series }} as wanted
        inner join {{ prices }} as points
            on
                wanted.asin = points.asin
                and wanted.domain_id = points.domain_id
                and wanted.series = points.series
    ),

    absurd as (
        select
            asin,
            domain_id,
            series
        from steps
        group by asin, domain_id, series
        having
            min(case when landed_price > highest_kept then landed_price end)
            * sum(case when landed_price >= 0 then {{ minutes_between('observed_at', 'ends_at') }} else 0 end)
            > {{ var('keepa_outlier_times_mean') }}
            * sum(
                case
                    when landed_price >= 0 then landed_price * {{ minutes_between('observed_at', 'ends_at') }}
                    else 0
                end
            )
    ),

    kept_steps as (
        select steps.*
        from steps
        inner join absurd on {{ same_key('steps', 'absurd', ['asin', 'domain_id', 'series']) }}
        where steps.landed_price between 0 and steps.highest_kept
    )

    select
        asin,
        domain_id,
        series,
        'max_value' as figure,
        max(landed_price) as figure_value,
        min(case when landed_price = highest_kept then observed_at end) as figure_at
    from kept_steps
    group by asin, domain_id, series
    {%- for figure in keepa_figures() if figure.theirs.startswith('avg') %}
    union all
    select
        asin,
        domain_id,
        series,
        '{{ figure.ours }}' as figure,
        {{ floor_divide('sum(landed_price * minutes)', 'sum(minutes)') }} as figure_value,
        cast(null as {{ dbt.type_timestamp() }}) as figure_at
    from (
        select
            asin,
            domain_id,
            series,
            landed_price,
            {{ minutes_between('greatest(observed_at, ' ~ days_before('as_of', figure.days) ~ ')', 'ends_at') }} as minutes
        from kept_steps
        where ends_at > {{ days_before('as_of', figure.days) }}
    ) as in_window
    group by asin, domain_id, series
    {%- endfor %}
) as kept
{%- endmacro %}
