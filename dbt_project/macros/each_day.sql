{#- Each row of `relation` once for every day of `[first, last]`, with the day as observed_date. -#}
{% macro each_day(relation, columns, first, last) -%}
    {{ return(adapter.dispatch('each_day')(relation, columns, first, last)) }}
{%- endmacro %}

{% macro duckdb__each_day(relation, columns, first, last) -%}
select
    {{ columns | join(',\n    ') }},
    cast(unnest(generate_series({{ first }}, {{ last }}, interval 1 day)) as date) as observed_date
from {{ relation }}
{%- endmacro %}

{% macro snowflake__each_day(relation, columns, first, last) -%}
select
    {{ columns_of(relation, columns) | join(',\n    ') }},
    dateadd(day, cast(numbered.value as integer), {{ relation }}.{{ first }}) as observed_date
from {{ relation }},
    lateral flatten(
        input => array_generate_range(0, datediff(day, {{ relation }}.{{ first }}, {{ relation }}.{{ last }}) + 1)
    ) as numbered
{%- endmacro %}
