{#- The incremental strategy of facts and marts: the entities in the change log are replaced, by day where observed_date
    is in the key, otherwise as a whole. dbt finds it by this name. -#}
{% macro get_incremental_changed_entities_sql(arg_dict) %}
    {{ return(adapter.dispatch('changed_entities_dml')(
        arg_dict['target_relation'], arg_dict['temp_relation'], arg_dict['unique_key'],
        arg_dict['dest_columns'] | map(attribute='name') | list
    )) }}
{% endmacro %}

{#- The adapter's own transaction holds the statements. -#}
{% macro default__changed_entities_dml(target_relation, temp_relation, key, columns) %}
{%- set entity = entity_key(model) -%}
{{ record_restated(target_relation, temp_relation) }}
delete from {{ target_relation }} as old
using ({{ changed_entities() }}) as restated
where
    {{ same_key('old', 'restated', entity) }}
    {%- if 'observed_date' in key %}
    and old.observed_date >= restated.from_date
    {%- endif %};

delete from {{ target_relation }}
where exists (select 1 from {{ change_log(target_relation.identifier) }} as events where events.{{ entity[0] }} is null);

insert into {{ target_relation }} ({{ columns | join(', ') }})
select {{ columns | join(', ') }} from {{ temp_relation }}
{% endmacro %}

{#- Snowflake commits each statement unless a transaction is begun. -#}
{% macro snowflake__changed_entities_dml(target_relation, temp_relation, key, columns) %}
    {{ return(snowflake_dml_explicit_transaction(
        default__changed_entities_dml(target_relation, temp_relation, key, columns)
    )) }}
{% endmacro %}
