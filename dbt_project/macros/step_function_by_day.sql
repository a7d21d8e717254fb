{#-
    A history as one row per UTC day: from the day of its first point to its last moment, no day missing.

    A history is a step function: a value holds from its point until the next one, and the last one to the moment of
    the entity's newest snapshot, floored to the minute (points are whole minutes). From an unreadable point on (its value
    is in quarantine) the history is unknown: no value, and not observed, until its next point. A last point that is younger than
    that snapshot (recordings without an envelope) ends the history itself. Time is half-open: `[point, next point)`.
    A history that ends at 00:00 has no row for the day that begins there, unless it has a point there.

    changes: the relation of points (observed_at, is_unreadable; `value` is null where there is none).
    snapshots: one row per entity with snapshot_at. entity, history: the columns of the entity's key, and those that distinguish
    its histories; together `key`. value: an integer column.

    Columns: `key`, observed_date and, of the day:
      open_value     the value as the day begins = the close of the day before; on the first day the first point's
      close_value    the value as the day ends
      low_value      of the open and of every point of the day, so low <= open, close <= high always holds
      high_value     (a value that a point at 00:00 sharp ends is the day's open, though it held for no minute)
      value_minutes  sum of value × minutes: exact, so averages over any number of days can be exact too
      known_minutes  minutes with a value
      observed_minutes  minutes that the history covers, without those in which it is unknown
      changes        points
-#}
{% macro step_function_by_day(changes, snapshots, entity, value, history=[]) %}
{%- set key = entity + history -%}
with
pieces as (
    {{ step_function_pieces(changes, snapshots, entity, value, history) | indent(4) }}
)

select
    {{ (key + ['observed_date']) | join(',\n    ') }},
    max(case when is_open then step_value end) as open_value,
    max(case when is_close then step_value end) as close_value,
    min(step_value) as low_value,
    max(step_value) as high_value,
    cast(coalesce(sum(step_value * step_minutes), 0) as bigint) as value_minutes,
    cast(sum(case when step_value is null then 0 else step_minutes end) as bigint) as known_minutes,
    cast(sum(step_minutes) as bigint) as observed_minutes,
    cast(sum(is_change) as bigint) as changes
from pieces
group by {{ (key + ['observed_date']) | join(', ') }}
{% endmacro %}

{#-
    The same history in pieces, one row per step and UTC day: `key`, observed_date, step_value (of any type), is_open
    and is_close (the piece that the day opens and closes with), is_change (1: its point is of the day) and step_minutes
    (0 where its point is unreadable).
    A day's open piece has 0 minutes where its first point is at 00:00 sharp.
-#}
{% macro step_function_pieces(changes, snapshots, entity, value, history=[]) %}
{%- set key = entity + history -%}
{%- set moments = ['observed_at', 'is_unreadable', 'ends_at', 'is_first', 'is_last'] -%}
{%- set in_order = 'partition by ' ~ columns_of('changes', key) | join(', ') ~ ' order by changes.observed_at' %}
with
{%- if is_incremental() %}
{{ points_to_restate(changes, snapshots, key, value) }}
{%- else %}
relevant_points as (
    select
        {{ columns_of('changes', key) | join(',\n        ') }},
        changes.observed_at,
        changes.{{ value }},
        changes.is_unreadable,
        false as is_continued,
        cast({{ beginning_of_time() }} as date) as from_date
    from {{ changes }} as changes
),
{%- endif %}

points as (
    select
        {{ columns_of('changes', key) | join(',\n        ') }},
        changes.observed_at,
        changes.{{ value }} as step_value,
        changes.is_unreadable,
        changes.from_date,
        lag(changes.observed_at) over ({{ in_order }}) is null and not changes.is_continued as is_first,
        lead(changes.observed_at) over ({{ in_order }}) as next_observed_at
    from relevant_points as changes
),

steps as (
    select
        {{ columns_of('points', key) | join(',\n        ') }},
        points.observed_at,
        points.step_value,
        points.is_unreadable,
        points.from_date,
        points.is_first,
        points.next_observed_at is null as is_last,
        coalesce(
            points.next_observed_at,
            greatest(points.observed_at, coalesce(date_trunc('minute', snapshots.snapshot_at), points.observed_at))
        ) as ends_at
    from points
    left join {{ snapshots }} as snapshots on {{ same_key('points', 'snapshots', entity) }}
),

dated_steps as (
    select
        {{ (key + ['step_value'] + moments) | join(',\n        ') }},
        greatest(cast(observed_at as date), from_date) as first_date,
        -- A step that another one follows is also on the day that it ends on: it is that day's open.
        case
            when is_last
                then greatest(
                    cast(observed_at as date), cast({{ dbt.dateadd('minute', -1, 'ends_at') }} as date)
                )
            else cast(ends_at as date)
        end as last_date
    from steps
),

days as (
    {{ each_day('dated_steps', key + ['step_value'] + moments, 'first_date', 'last_date') | indent(4) }}
),

bounds as (
    select
        {{ (key + ['observed_date', 'step_value'] + moments) | join(',\n        ') }},
        cast(observed_date as {{ dbt.type_timestamp() }}) as day_starts_at,
        cast({{ dbt.dateadd('day', 1, 'observed_date') }} as {{ dbt.type_timestamp() }}) as day_ends_at
    from days
)

select
    {{ (key + ['observed_date', 'step_value']) | join(',\n    ') }},
    is_first or observed_at < day_starts_at as is_open,
    is_last or ends_at >= day_ends_at as is_close,
    case when observed_at >= day_starts_at then 1 else 0 end as is_change,
    case
        when is_unreadable then 0
        else {{ dbt.datediff('greatest(observed_at, day_starts_at)', 'least(ends_at, day_ends_at)', 'minute') }}
    end as step_minutes
from bounds
{% endmacro %}
