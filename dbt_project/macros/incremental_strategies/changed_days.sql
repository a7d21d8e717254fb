{#- The incremental strategy of the daily tables: of each history in the change log, the days since the first change are
    replaced. dbt finds it by this name. unique_key: what identifies a row; without the date (and the seller) a history. -#}
{% macro get_incremental_changed_days_sql(arg_dict) %}
    {{ return(adapter.dispatch('changed_days_dml')(
        arg_dict['target_relation'], arg_dict['temp_relation'], arg_dict['unique_key'],
        arg_dict['dest_columns'] | map(attribute='name') | list
    )) }}
{% endmacro %}

{#- The adapter's own transaction holds the statements. -#}
{% macro default__changed_days_dml(target_relation, temp_relation, key, columns) %}
{%- set entity = entity_key(model) -%}
{%- set history = key | reject('in', entity + ['observed_date', 'seller_id']) | list -%}
{{ record_restated(target_relation, temp_relation) }}
delete from {{ target_relation }} as old
using ({{ changed_days(snapshots_of_entity()) }}) as days
where
    old.observed_date >= days.from_date
    and (days.{{ entity[0] }} is null or ({{ same_key('old', 'days', entity) }}))
    and (days.history is null or days.history = {{ history_text('old', history) }});

insert into {{ target_relation }} ({{ columns | join(', ') }})
select {{ columns | join(', ') }} from {{ temp_relation }}
{% endmacro %}

{#- Snowflake commits each statement unless a transaction is begun. -#}
{% macro snowflake__changed_days_dml(target_relation, temp_relation, key, columns) %}
    {{ return(snowflake_dml_explicit_transaction(
        default__changed_days_dml(target_relation, temp_relation, key, columns)
    )) }}
{% endmacro %}
