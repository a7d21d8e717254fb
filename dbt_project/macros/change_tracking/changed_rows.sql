{#-
    Reading by change: a fact or mart restates the entities in its change log, and reads the rows of no others.

    A model with observed_date in its key is restated from the first changed day of an entity on, any other for the whole
    entity (macros/incremental_strategies/changed_entities.sql).
-#}

{#-
    The rows of the model `parent` (which has the columns of the entity) that the rows to restate depend on; all rows where everything
    changed. It registers the edge as tracked_ref() does, so `listens` is as there.

    since: its date column, for models that are restated by day: the rows from `days_before` days before the first
    changed day on. restated_from is that first changed day.
-#}
{% macro changed_rows(parent, listens, since=none, days_before=0) -%}
{%- set relation = tracked_ref(parent, listens) -%}
{%- if not is_incremental() -%}
select
    part.*,
    cast({{ beginning_of_time() }} as date) as restated_from
from {{ relation }} as part
{%- else -%}
select
    part.*,
    restated.from_date as restated_from
from {{ relation }} as part
inner join ({{ changed_entities() }}) as restated
    on {{ same_key('part', 'restated', entity_key(model)) }}
{%- if since %}
where {{ days_between('restated.from_date', 'part.' ~ since) }} >= -1 * {{ days_before }}
{%- endif %}
union all
select
    part.*,
    cast({{ beginning_of_time() }} as date) as restated_from
from {{ relation }} as part
cross join (
    select min(touched_at) as touched_at from {{ change_log(model.name) }} where {{ entity_key(model)[0] }} is null
) as everything
where everything.touched_at is not null
{%- endif -%}
{%- endmacro %}

{#- The entity's key and from_date of every changed entity; empty where everything changed. -#}
{% macro changed_entities() -%}
{%- set key = entity_key(model) -%}
select
    {{ (columns_of('changed_entities', key) + ['changed_entities.from_date']) | join(',\n    ') }}
from ({{ changed_from() }}) as changed_entities
where
    changed_entities.{{ key[0] }} is not null
    and not exists (select 1 from {{ change_log(model.name) }} as events where events.{{ key[0] }} is null)
{%- endmacro %}

{#- The entity's key (null: everything) and from_date of what changed. A model that reads the snapshots of its entities
    looks at them as well (changed_days); the listeners of such a model have that from there already. -#}
{% macro changed_from() -%}
{%- set key = columns_of('by_history', entity_key(model)) -%}
select
    {{ key | join(',\n    ') }},
    min(by_history.from_date) as from_date
from ({{ changed_days(snapshots_of_entity()) }}) as by_history
group by {{ key | join(', ') }}
{%- endmacro %}
