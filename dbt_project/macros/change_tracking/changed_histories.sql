{#-
    Reading by history: a daily table restates, of the histories in its change log, the days since the first change.

    A point that is younger than its product's snapshot ends its history itself, and so may the one before it have: what
    changed begins with the day of that snapshot. A product that is not there any more is restated as a whole.
-#}

{#- asin, domain_id, history (null: all of them) and from_date, the first day to restate. `products`: one row per
    product with snapshot_at. -#}
{% macro changed_days(model_name, products) %}
select
    events.asin,
    events.domain_id,
    events.history,
    cast(least(
        min(events.touched_at), coalesce(min(products.snapshot_at), {{ beginning_of_time() }})
    ) as date) as from_date
from {{ change_log(model_name) }} as events
left join {{ products }} as products
    on events.asin = products.asin and events.domain_id = products.domain_id
group by events.asin, events.domain_id, events.history
{% endmacro %}

{#- The key columns that distinguish the histories of one product, as one text. -#}
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
{% macro points_to_restate(changes, products, key, value) %}
{%- set history = key | reject('in', ['asin', 'domain_id', 'currency']) | list -%}
changed_days as (
    {{ changed_days(this.identifier, products) | indent(4) }}
),

changed_products as (
    select
        asin,
        domain_id,
        from_date
    from changed_days
    where asin is not null and history is null
),

changed_histories as (
    select
        asin,
        domain_id,
        history,
        from_date
    from changed_days
    where history is not null
),

changed_everything as (
    select min(from_date) as from_date
    from changed_days
    where asin is null
),

changed_points as (
    select
        {{ columns_of('changes', key) | join(',\n        ') }},
        changes.observed_at,
        changes.{{ value }},
        changes.is_unreadable,
        least(
            coalesce(changed_everything.from_date, cast('9999-12-31' as date)),
            coalesce(changed_products.from_date, cast('9999-12-31' as date)),
            coalesce(changed_histories.from_date, cast('9999-12-31' as date))
        ) as from_date
    from {{ changes }} as changes
    cross join changed_everything
    left join changed_products
        on changes.asin = changed_products.asin and changes.domain_id = changed_products.domain_id
    left join changed_histories
        on
            changes.asin = changed_histories.asin
            and changes.domain_id = changed_histories.domain_id
            and {{ history_text('changes', history) }} = changed_histories.history
    where
        changed_everything.from_date is not null
        or changed_products.from_date is not null
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
