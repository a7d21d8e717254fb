{#-
    What a model records in the change logs of its listeners. All of it is in the transaction that changes the model's rows.

    Each listener's log has the columns of the listener's entity, which the model's rows have too. A change table compares its
    rows with those that take their place (record_changes), a daily table, fact or mart passes on what it restates (record_restated), a table that is built as a whole changes everything (record_rebuild).
-#}

{#- A table that is built as a whole changes everything (pre-hook: it runs before the table is there). -#}
{% macro record_rebuild() %}
    {%- if not is_incremental() -%}
        {%- for node in listeners_of(this.identifier) | map(attribute='node') | unique(attribute='name') %}
{{ log_entries(node) }}
values ({{ 'null, ' * (entity_key(node) | length + 1) }}{{ beginning_of_time() }});
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}

{#- Of a model that listens by window: every entity with a row of that parent in the window of this run (pre-hook). -#}
{% macro record_window() %}
    {%- if is_incremental() -%}
        {%- for parent, edge in declared_edges(model).items() if 'window' in edge.how %}
{{ log_entries(model) }}
{{ entities('answers', model, distinct=true) }}
from {{ ref(parent) }} as answers
where {{ in_partition_window('answers.run_date') }};
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}

{#- Of a daily table, a fact or a mart: what it restates now. -#}
{% macro record_restated(target_relation, temp_relation) %}
{%- for listener in listeners_of(target_relation.identifier) %}
{{ log_entries(listener.node) }}
    {%- if entity_key(listener.node) == entity_key(model) %}
{{ entities('days', model, touched_at='cast(days.from_date as ' ~ dbt.type_timestamp() ~ ')') }}
from ({{ changed_from() }}) as days;
    {%- else %}
{{ entities_of_restated_rows(target_relation, temp_relation, listener) }};
    {%- endif %}
{% endfor -%}
{% endmacro %}

{#- A listener is about something else than the model: its entities are those of the rows that go and of the rows that
    come, each since its first day (observed_date). Which columns a table has is not known while dbt parses, so one that
    lacks the listener's key or observed_date fails in the engine, by the name of the column. -#}
{% macro entities_of_restated_rows(target_relation, temp_relation, listener) %}
{%- set columns = (entity_key(listener.node) + ['observed_date']) -%}
{{ entities('changed', listener.node, touched_at='cast(min(changed.observed_date) as ' ~ dbt.type_timestamp() ~ ')') }}
from (
    select {{ columns_of('old', columns) | join(', ') }}
    from {{ target_relation }} as old
    inner join ({{ changed_from() }}) as restated on {{ same_key('old', 'restated', entity_key(model)) }}
    union all
    select {{ columns | join(', ') }}
    from {{ temp_relation }}
) as changed
group by {{ columns_of('changed', entity_key(listener.node)) | join(', ') }}
union all
select {{ 'null, ' * (entity_key(listener.node) | length + 1) }}{{ beginning_of_time() }}
from ({{ changed_from() }}) as restated
where restated.{{ entity_key(model)[0] }} is null
{% endmacro %}

{#- Of a change table: how its rows in `target_relation` differ from those in `temp_relation` that replace them. -#}
{% macro record_changes(target_relation, temp_relation, key, columns) %}
    {%- for listener in listeners_of(target_relation.identifier) %}
{{ log_entries(listener.node) }}
        {%- if listener.how == 'columns' %}
{{ entities_described_anew(target_relation, temp_relation, key, listener) }};
        {%- elif listener.how == 'every_row' %}
{{ entities_with_any_row(target_relation, temp_relation, listener) }};
        {%- elif listener.node.config.meta.snapshots == target_relation.identifier %}
{{ moved_snapshots(target_relation, temp_relation, key, listener) }};
        {%- else %}
{{ changed_points(target_relation, temp_relation, key, columns, listener) }};
        {%- endif %}
    {% endfor -%}
{% endmacro %}

{#- The beginning of the statement that writes into the change log of the model `node`. -#}
{% macro log_entries(node) -%}
insert into {{ change_log(node.name) }} ({{ (entity_key(node) + ['history', 'touched_at']) | join(', ') }})
{%- endmacro %}

{#- Selects from `relation` the entity of `node`, a history of it (none: all) and since when (none: the beginning). -#}
{% macro entities(relation, node, history=none, touched_at=none, distinct=false) -%}
select {{ 'distinct' if distinct }}
    {{ columns_of(relation, entity_key(node)) | join(',\n    ') }},
    {{ history or 'cast(null as varchar)' }} as history,
    {{ touched_at or beginning_of_time() }} as touched_at
{%- endmacro %}

{#- Entities of which a row appears, goes, or is confirmed by another response. -#}
{% macro entities_with_any_row(target_relation, temp_relation, listener) %}
{{ entities('changed', listener.node) }}
from {{ target_relation }} as changed
where {{ in_partition_window('changed.run_date') }}
union
{{ entities('newest', listener.node) }}
from {{ temp_relation }} as newest
{% endmacro %}

{#- Entities of which one of the columns that the listener named has another value now. -#}
{% macro entities_described_anew(target_relation, temp_relation, key, listener) %}
{{ entities('newest', listener.node) }}
from {{ temp_relation }} as newest
inner join {{ target_relation }} as changed on {{ same_key('newest', 'changed', key) }}
where
    {%- for column in listener.columns %}
    {{ 'or ' if not loop.first }}changed.{{ column }} is distinct from newest.{{ column }}
    {%- endfor %}
{% endmacro %}

{#- Points that go, appear or have another value. -#}
{% macro changed_points(target_relation, temp_relation, key, columns, listener) %}
{%- set entity = entity_key(listener.node) -%}
{%- set history = key | reject('in', entity + ['observed_at']) | list -%}
{%- set values = columns | reject('in', key + ['snapshot_at', 'run_date']) | list -%}
{%- set groups = range(1, entity | length + 2) | join(', ') -%}
{{ entities('changed', listener.node, history_text('changed', history), 'min(changed.observed_at)') }}
from {{ target_relation }} as changed
left join {{ temp_relation }} as newest on {{ same_key('changed', 'newest', key) }}
where {{ in_partition_window('changed.run_date') }} and newest.{{ key[0] }} is null
group by {{ groups }}
union all
{{ entities('newest', listener.node, history_text('newest', history), 'min(newest.observed_at)') }}
from {{ temp_relation }} as newest
left join {{ target_relation }} as changed on {{ same_key('newest', 'changed', key) }}
where
    changed.{{ key[0] }} is null
    {%- for column in values %}
    or changed.{{ column }} is distinct from newest.{{ column }}
    {%- endfor %}
group by {{ groups }}
{% endmacro %}

{#- Entities whose newest snapshot moves: their last values hold for a longer or a shorter time. -#}
{% macro moved_snapshots(target_relation, temp_relation, key, listener) %}
{{ entities('changed', listener.node) }}
from {{ target_relation }} as changed
left join {{ temp_relation }} as newest on {{ same_key('changed', 'newest', key) }}
where {{ in_partition_window('changed.run_date') }} and newest.{{ key[0] }} is null
union all
{{ entities(
    'newest', listener.node,
    touched_at='coalesce(least(changed.snapshot_at, newest.snapshot_at), ' ~ beginning_of_time() ~ ')'
) }}
from {{ temp_relation }} as newest
left join {{ target_relation }} as changed on {{ same_key('newest', 'changed', key) }}
where changed.snapshot_at is distinct from newest.snapshot_at
{% endmacro %}
