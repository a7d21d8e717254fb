{#-
    The change log of a model: what changed in the models that it listens to and is not yet in its own table.

    It is the table `core._touched_<model>`. A parent writes into it, in the transaction that changes its own rows, which
    entities or histories changed and the first moment at which they did (touched_at). The model restates those from that
    day on and clears its log, in the transaction that does so. A run that dies in between leaves the rest for the next
    one. So a day's run costs what the day changed, and a point that a response merely repeats costs nothing.

    The columns of the model's entity (entity.sql); null: everything. history: the other key columns as text; null: every
    history of the entity.
-#}
{% macro change_log(model_name) %}
    {{ return(api.Relation.create(database=target.database, schema='core', identifier='_touched_' ~ model_name)) }}
{% endmacro %}

{#- Creates the logs of all models that listen (on-run-start: models that run at once must not create the same one). -#}
{% macro create_change_logs() %}
create schema if not exists {{ api.Relation.create(database=target.database, schema='core').without_identifier() }};
{% for node in models_with_change_logs() if load_relation(change_log(node.name)) is none %}
create table {{ change_log(node.name) }} as
select
    {% for column, type in entity_of(node).items() -%}
    cast(null as {{ type }}) as {{ column }},
    {% endfor -%}
    cast(null as varchar) as history,
    {{ beginning_of_time() }} as touched_at;
{% endfor %}
{% endmacro %}

{#- Empties the model's own log: all of it is in the table now (post-hook). -#}
{% macro clear_change_log() %}
    {%- if has_change_log(model) -%}
delete from {{ change_log(this.identifier) }}
    {%- endif -%}
{% endmacro %}

{#- The first moment of an entity that is to be restated as a whole. -#}
{% macro beginning_of_time() -%}
    cast('0001-01-01' as {{ dbt.type_timestamp() }})
{%- endmacro %}
