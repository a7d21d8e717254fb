{#- What `dbt.type_timestamp()` is on Snowflake: without a suffix a timestamp is what the account's mapping says. -#}
{% macro snowflake__type_timestamp() -%}
    timestamp_ntz
{%- endmacro %}
