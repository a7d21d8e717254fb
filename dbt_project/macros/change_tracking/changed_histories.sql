{#-
    Reading by history: a daily table restates, of the histories in its change log, the days since the first change.

    A point that is younger than its entity's snapshot ends its history itself, and so may the one before it have: what
    changed begins with the day of that snapshot. An entity that is not there any more is restated as a whole.
-#}

{#- The entity's key, history (null: all of them) and from_date, the first day to restate, of what is in the model's
    change log. `snapshots`: one row per entity with snapshot_at; none: histories end with their last point. -#}
{% macro changed_days(snapshots=none) %}
{%- set entity = entity_key(model) -%}
{%- set key = columns_of('events', entity) -%}
select
    {{ (key + ['events.history']) | join(',\n    ') }},
    {%- if snapshots is none %}
    cast(min(events.touched_at) as date) as from_date
from {{ change_log(model.name) }} as events
    {%- else %}
    cast(least(
        min(events.touched_at), coalesce(min(snapshots.snapshot_at), {{ beginning_of_time() }})
    ) as date) as from_date
from {{ change_log(model.name) }} as events
left join {{ snapshots }} as snapshots
    on {{ same_key('events', 'snapshots', entity) }}
    {%- endif %}
group by {{ (key + ['events.history']) | join(', ') }}
{% endmacro %}

{#- The key columns that distinguish the histories of one entity, as one text. -#}
{% macro history_text(relation, history) -%}
    {%- if not history -%}
        ''
    {%- else -%}
        {%- for column in history -%}
            cast({{ relation }}.{{ column }} as varchar){{ " || '|' || " if not loop.last }}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}

{#-
    The points that the days to restate depend on: of every changed history those since the day from
    which it is restated, and the one in force as that day begins (is_continued: there is one).
-#}
{% macro points_to_restate(changes, snapshots, key, value) %}
{%- set entity = entity_key(model) -%}
{%- set history = key | reject('in', entity + ['currency']) | list -%}
changed_days as (
    {{ changed_days(snapshots) | indent(4) }}
),

changed_entities as (
    select
        {{ (entity + ['from_date']) | join(',\n        ') }}
    from changed_days
    where {{ entity[0] }} is not null and history is null
),

changed_histories as (
    select
        {{ (entity + ['history', 'from_date']) | join(',\n        ') }}
    from changed_days
    where history is not null
),

changed_everything as (
    select min(from_date) as from_date
    from changed_days
    where {{ entity[0] }} is null
),

changed_points as (
    select
        {{ columns_of('changes', key) | join(',\n        ') }},
        changes.observed_at,
        changes.{{ value }},
        changes.is_unreadable,
        least(
            coalesce(changed_everything.from_date, cast('9999-12-31' as date)),
            coalesce(changed_entities.from_date, cast('9999-12-31' as date)),
            coalesce(changed_histories.from_date, cast('9999-12-31' as date))
        ) as from_date
    from {{ changes }} as changes
    cross join changed_everything
    left join changed_entities on {{ same_key('changes', 'changed_entities', entity) }}
    left join changed_histories
        on
            {{ same_key('changes', 'changed_histories', entity) }}
            and {{ history_text('changes', history) }} = changed_histories.history
    where
        changed_everything.from_date is not null
        or changed_entities.from_date is not null
        or changed_histories.from_date is not null
),

in_force as (
    select
        {{ key | join(',\n        ') }},
        max(observed_at) as since
    from changed_points
    where observed_at < from_date
    group by {{ key | join(', ') }}
),

relevant_points as (
    select
        {{ columns_of('changed_points', key) | join(',\n        ') }},
        changed_points.observed_at,
        changed_points.{{ value }},
        changed_points.is_unreadable,
        in_force.since is not null as is_continued,
        changed_points.from_date
    from changed_points
    left join in_force on {{ same_key('changed_points', 'in_force', key) }}
    where changed_points.observed_at >= changed_points.from_date or changed_points.observed_at = in_force.since
),
{% endmacro %}
