{#- Arithmetic on whole minutes, in the words of the models that use it. -#}

{#- `moment`, so many days earlier; both may be columns. -#}
{% macro days_before(moment, days) -%}
    {{ dbt.dateadd('day', '-1 * ' ~ days, moment) }}
{%- endmacro %}

{#- Whole minutes of `[start, end)`. -#}
{% macro minutes_between(start, end) -%}
    {{ dbt.datediff(start, end, 'minute') }}
{%- endmacro %}
