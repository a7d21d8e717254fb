{#-
    What a model records in the change logs of its listeners. All of it is in the transaction that changes the model's rows.

    A change table compares its rows with those that take their place (record_changes), a daily table, fact or mart passes
    on what it restates (record_restated), a table that is built as a whole changes everything (record_rebuild).
-#}

{#- A table that is built as a whole changes everything (pre-hook: it runs before the table is there). -#}
{% macro record_rebuild() %}
    {%- if not is_incremental() -%}
        {%- for name in listeners_of(this.identifier) | map(attribute='model') | unique %}
insert into {{ change_log(name) }} (asin, domain_id, history, touched_at)
values (null, null, null, {{ beginning_of_time() }});
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}

{#- Of a model that listens by window: every product with a row of that parent in the window of this run (pre-hook). -#}
{% macro record_window() %}
    {%- if is_incremental() -%}
        {%- for parent, edge in declared_edges(model).items() if 'window' in edge.how %}
insert into {{ change_log(this.identifier) }} (asin, domain_id, history, touched_at)
select distinct
    answers.asin,
    answers.domain_id,
    cast(null as varchar) as history,
    {{ beginning_of_time() }} as touched_at
from {{ ref(parent) }} as answers
where {{ in_partition_window('answers.run_date') }};
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}

{#- Of a daily table, a fact or a mart: what it restates now. -#}
{% macro record_restated(target_relation) %}
{%- for listener in listeners_of(target_relation.identifier) %}
insert into {{ change_log(listener.model) }} (asin, domain_id, history, touched_at)
select
    days.asin,
    days.domain_id,
    cast(null as varchar) as history,
    cast(days.from_date as timestamp) as touched_at
from ({{ changed_from(target_relation.identifier) }}) as days;
{% endfor -%}
{% endmacro %}

{#- Of a change table: how its rows in `target_relation` differ from those in `temp_relation` that replace them. -#}
{% macro record_changes(target_relation, temp_relation, key, columns) %}
    {%- for listener in listeners_of(target_relation.identifier) %}
insert into {{ change_log(listener.model) }} (asin, domain_id, history, touched_at)
        {%- if listener.how == 'columns' %}
{{ products_described_anew(target_relation, temp_relation, key, listener.columns) }};
        {%- elif listener.how == 'every_row' %}
{{ products_with_any_row(target_relation, temp_relation) }};
        {%- elif 'observed_at' in key %}
{{ changed_points(target_relation, temp_relation, key, columns) }};
        {%- else %}
{{ moved_snapshots(target_relation, temp_relation, key) }};
        {%- endif %}
    {% endfor -%}
{% endmacro %}

{#- Products of which a row appears, goes, or is confirmed by another response. -#}
{% macro products_with_any_row(target_relation, temp_relation) %}
select
    changed.asin,
    changed.domain_id,
    cast(null as varchar) as history,
    {{ beginning_of_time() }} as touched_at
from {{ target_relation }} as changed
where {{ in_partition_window('changed.run_date') }}
union
select
    newest.asin,
    newest.domain_id,
    cast(null as varchar) as history,
    {{ beginning_of_time() }} as touched_at
from {{ temp_relation }} as newest
{% endmacro %}

{#- Products of which one of the columns `described` has another value now. -#}
{% macro products_described_anew(target_relation, temp_relation, key, described) %}
select
    newest.asin,
    newest.domain_id,
    cast(null as varchar) as history,
    {{ beginning_of_time() }} as touched_at
from {{ temp_relation }} as newest
inner join {{ target_relation }} as changed on {{ same_key('newest', 'changed', key) }}
where
    {%- for column in described %}
    {{ 'or ' if not loop.first }}changed.{{ column }} is distinct from newest.{{ column }}
    {%- endfor %}
{% endmacro %}

{#- Points that go, appear or have another value. -#}
{% macro changed_points(target_relation, temp_relation, key, columns) %}
{%- set history = key | reject('in', ['asin', 'domain_id', 'observed_at']) | list -%}
{%- set values = columns | reject('in', key + ['snapshot_at', 'run_date']) | list %}
select
    changed.asin,
    changed.domain_id,
    {{ history_text('changed', history) }} as history,
    min(changed.observed_at) as touched_at
from {{ target_relation }} as changed
left join {{ temp_relation }} as newest on {{ same_key('changed', 'newest', key) }}
where {{ in_partition_window('changed.run_date') }} and newest.asin is null
group by 1, 2, 3
union all
select
    newest.asin,
    newest.domain_id,
    {{ history_text('newest', history) }} as history,
    min(newest.observed_at) as touched_at
from {{ temp_relation }} as newest
left join {{ target_relation }} as changed on {{ same_key('newest', 'changed', key) }}
where
    changed.asin is null
    {%- for column in values %}
    or changed.{{ column }} is distinct from newest.{{ column }}
    {%- endfor %}
group by 1, 2, 3
{% endmacro %}

{#- Products whose newest snapshot moves: their last values hold for a longer or a shorter time. -#}
{% macro moved_snapshots(target_relation, temp_relation, key) %}
select
    changed.asin,
    changed.domain_id,
    cast(null as varchar) as history,
    {{ beginning_of_time() }} as touched_at
from {{ target_relation }} as changed
left join {{ temp_relation }} as newest on {{ same_key('changed', 'newest', key) }}
where {{ in_partition_window('changed.run_date') }} and newest.asin is null
union all
select
    newest.asin,
    newest.domain_id,
    cast(null as varchar) as history,
    coalesce(least(changed.snapshot_at, newest.snapshot_at), {{ beginning_of_time() }}) as touched_at
from {{ temp_relation }} as newest
left join {{ target_relation }} as changed on {{ same_key('newest', 'changed', key) }}
where changed.snapshot_at is distinct from newest.snapshot_at
{% endmacro %}
