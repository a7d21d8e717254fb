{#-
    What has changed and is not yet in the tables that are made from it.

    Each daily table has a table `core._touched_<model>`. A change table writes into it, in the transaction that changes its
    rows, which histories changed and the first moment at which they did; the daily table restates those from that day on
    and empties it, in the transaction that does so. A run that dies in between leaves the rest for the next one. So a day's
    run costs what the day changed, and a point that an answer merely repeats costs nothing.

    asin, domain_id: the product; null: everything. history: the other key columns as text; null: every history of it.
-#}
{% macro touched(model_name) %}
    {{ return(api.Relation.create(database=target.database, schema='core', identifier='_touched_' ~ model_name)) }}
{% endmacro %}

{% macro beginning_of_time() -%}
    cast('0001-01-01' as timestamp)
{%- endmacro %}

{#- Before anything else, one after the other: models that run at once must not make the same table. -#}
{% macro create_touched() %}
create schema if not exists {{ api.Relation.create(database=target.database, schema='core').without_identifier() }};
{% for name in models_that_are_told() if load_relation(touched(name)) is none %}
create table {{ touched(name) }} as
select
    cast(null as varchar) as asin,
    cast(null as bigint) as domain_id,
    cast(null as varchar) as history,
    {{ beginning_of_time() }} as touched_at;
{% endfor %}
{% endmacro %}

{#- Every model that some model tells of its changes. -#}
{% macro models_that_are_told() %}
    {%- set found = [] -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' -%}
            {%- do found.extend(told_by(node.config.meta)) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(found | unique | sort | list) }}
{% endmacro %}

{#- The models that a model with this `meta` tells of its changes. -#}
{% macro told_by(meta) %}
    {{ return(meta.get('touches', []) + meta.get('touches_rows', []) + (meta.get('describes', {}) | list)) }}
{% endmacro %}

{#- A table that is made as a whole touches everything (pre-hook: afterwards it is always there). -#}
{% macro touch_everything() %}
    {%- if not is_incremental() -%}
        {%- for name in told_by(model.config.meta) | unique %}
insert into {{ touched(name) }} (asin, domain_id, history, touched_at)
values (null, null, null, {{ beginning_of_time() }});
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}

{#- All of it is in the table now (post-hook). -#}
{% macro untouch() %}
    {%- if this.identifier in models_that_are_told() -%}
delete from {{ touched(this.identifier) }}
    {%- endif -%}
{% endmacro %}

{#- The key columns that tell the histories of one product apart, as one text. -#}
{% macro history_text(relation, history) -%}
    {%- if not history -%}
        ''
    {%- else -%}
        {%- for column in history -%}
            cast({{ relation }}.{{ column }} as varchar){{ " || '|' || " if not loop.last }}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}

{#- What the change of `target_relation` into what `temp_relation` says will touch; to be run before it. -#}
{% macro touch(target_relation, temp_relation, key, columns) %}
    {%- for name in model.config.meta.get('touches', []) %}
insert into {{ touched(name) }} (asin, domain_id, history, touched_at)
        {%- if 'observed_at' in key %}
{{ touched_points(target_relation, temp_relation, key, columns) }};
        {%- else %}
{{ touched_products(target_relation, temp_relation, key) }};
        {%- endif %}
    {% endfor -%}
    {%- for name in model.config.meta.get('touches_rows', []) %}
insert into {{ touched(name) }} (asin, domain_id, history, touched_at)
{{ touched_rows_of(target_relation, temp_relation) }};
    {% endfor -%}
    {%- for name, described in model.config.meta.get('describes', {}).items() %}
insert into {{ touched(name) }} (asin, domain_id, history, touched_at)
{{ touched_descriptions(target_relation, temp_relation, key, described) }};
    {% endfor -%}
{% endmacro %}

{#- Products of which a row comes, goes or is confirmed. -#}
{% macro touched_rows_of(target_relation, temp_relation) %}
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

{#- Products that are described in other words now. -#}
{% macro touched_descriptions(target_relation, temp_relation, key, described) %}
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

{#- Points that go, come or have another value. -#}
{% macro touched_points(target_relation, temp_relation, key, columns) %}
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

{#- Products whose newest snapshot moves: their last values hold longer, or less long. -#}
{% macro touched_products(target_relation, temp_relation, key) %}
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

{#-
    asin, domain_id, history (null: all of them) and from_date, the first day to restate.

    A point that is younger than its product's snapshot ends its history itself, and so may the one before it have: what
    it touches begins with the day of that snapshot. A product that is not there any more is restated as a whole.
-#}
{% macro touched_days(model_name, products) %}
select
    events.asin,
    events.domain_id,
    events.history,
    cast(least(
        min(events.touched_at), coalesce(min(products.snapshot_at), {{ beginning_of_time() }})
    ) as date) as from_date
from {{ touched(model_name) }} as events
left join {{ products }} as products
    on events.asin = products.asin and events.domain_id = products.domain_id
group by events.asin, events.domain_id, events.history
{% endmacro %}

{#- The incremental strategy of the daily tables; dbt finds it by this name. unique_key: what makes a history. -#}
{% macro get_incremental_touched_days_sql(arg_dict) %}
    {{ return(adapter.dispatch('touched_days_dml')(
        arg_dict['target_relation'], arg_dict['temp_relation'], arg_dict['unique_key'],
        arg_dict['dest_columns'] | map(attribute='name') | list
    )) }}
{% endmacro %}

{#- The adapter's own transaction holds the statements. -#}
{% macro default__touched_days_dml(target_relation, temp_relation, key, columns) %}
{%- set history = key | reject('in', ['asin', 'domain_id', 'observed_date', 'seller_id']) | list -%}
{{ pass_on(target_relation) }}
delete from {{ target_relation }} as old
using ({{ touched_days(target_relation.identifier, ref('core_keepa_product')) }}) as days
where
    old.observed_date >= days.from_date
    and (days.asin is null or (old.asin = days.asin and old.domain_id = days.domain_id))
    and (days.history is null or days.history = {{ history_text('old', history) }});

insert into {{ target_relation }} ({{ columns | join(', ') }})
select {{ columns | join(', ') }} from {{ temp_relation }}
{% endmacro %}

{#- Snowflake commits each statement unless a transaction is asked for. -#}
{% macro snowflake__touched_days_dml(target_relation, temp_relation, key, columns) %}
    {{ return(snowflake_dml_explicit_transaction(
        default__touched_days_dml(target_relation, temp_relation, key, columns)
    )) }}
{% endmacro %}
