{#- The day of `moment` (a timestamp without a zone, UTC) in an IANA time zone, which may be a column; null where either
    is. Both engines have the zones' rules in them, with daylight saving. -#}
{% macro local_date(moment, time_zone) -%}
    {{ return(adapter.dispatch('local_date')(moment, time_zone)) }}
{%- endmacro %}

{% macro duckdb__local_date(moment, time_zone) -%}
    cast(timezone({{ time_zone }}, timezone('UTC', {{ moment }})) as date)
{%- endmacro %}

{% macro snowflake__local_date(moment, time_zone) -%}
    cast(convert_timezone('UTC', {{ time_zone }}, {{ moment }}) as date)
{%- endmacro %}
