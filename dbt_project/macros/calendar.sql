{#- Arithmetic of days and minutes, the same on both engines. Windows are half-open: `[first, end)`. -#}

{#- The day `days` (a number, may be negative) after `day`, as a date. -#}
{% macro day_plus(day, days) -%}
    cast({{ dbt.dateadd('day', days, day) }} as date)
{%- endmacro %}

{#- Days from `first` to `last`: 0 on the same day. -#}
{% macro days_between(first, last) -%}
    {{ dbt.datediff(first, last, 'day') }}
{%- endmacro %}

{#- `moment`, so many days earlier; both may be columns. -#}
{% macro days_before(moment, days) -%}
    {{ dbt.dateadd('day', '-1 * ' ~ days, moment) }}
{%- endmacro %}

{#- `moment`, so many minutes earlier; both may be columns. -#}
{% macro minutes_before(moment, minutes) -%}
    {{ dbt.dateadd('minute', '-1 * ' ~ minutes, moment) }}
{%- endmacro %}

{#- Whole minutes of `[start, end)`. -#}
{% macro minutes_between(start, end) -%}
    {{ dbt.datediff(start, end, 'minute') }}
{%- endmacro %}
