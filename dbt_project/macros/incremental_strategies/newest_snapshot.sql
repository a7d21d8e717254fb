{#- The incremental strategy of the change tables: macros/newest_snapshot.sql has the rule. Found by this name. -#}
{% macro get_incremental_newest_snapshot_sql(arg_dict) %}
    {{ return(adapter.dispatch('newest_snapshot_dml')(
        arg_dict['target_relation'], arg_dict['temp_relation'], arg_dict['unique_key'],
        arg_dict['dest_columns'] | map(attribute='name') | list
    )) }}
{% endmacro %}

{#- The adapter's own transaction holds the statements; those of record_changes() come first. -#}
{% macro default__newest_snapshot_dml(target_relation, temp_relation, key, columns) %}
{{ record_changes(target_relation, temp_relation, key, columns) }}
delete from {{ target_relation }} as changed
where {{ in_partition_window('changed.run_date') }};

delete from {{ target_relation }} as changed
using {{ temp_relation }} as newest
where {{ same_key('changed', 'newest', key) }};

insert into {{ target_relation }} ({{ columns | join(', ') }})
select {{ columns | join(', ') }} from {{ temp_relation }}
{% endmacro %}

{#- Snowflake commits each statement unless a transaction is begun. -#}
{% macro snowflake__newest_snapshot_dml(target_relation, temp_relation, key, columns) %}
    {{ return(snowflake_dml_explicit_transaction(
        default__newest_snapshot_dml(target_relation, temp_relation, key, columns)
    )) }}
{% endmacro %}
