{#- None of `columns` is null: one node for a whole key, where dbt's own not_null would be one a column. `in_window`: as
    in unique_combination. -#}
{% test not_null_columns(model, columns, in_window=false) %}
select {{ columns | join(', ') }}
from {{ model }}
where
    {{ in_partition_window('run_date') if in_window else 'true' }}
    and (
        {% for column in columns -%}
        {{ 'or ' if not loop.first }}{{ column }} is null
        {% endfor -%}
    )
{% endtest %}
