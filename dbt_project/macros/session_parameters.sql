{#- Written by `make generate` from SESSION_PARAMETERS of vp_pipeline/warehouse/snowflake.py, which says why: an account
    may have set these otherwise, and results depend on them. -#}
{% macro session_parameters() -%}
    {%- set parameters = [
        "timezone = 'UTC'",
        "timestamp_type_mapping = 'TIMESTAMP_NTZ'",
        "week_start = 1",
        "week_of_year_policy = 0",
        "date_input_format = 'AUTO'",
        "date_output_format = 'YYYY-MM-DD'",
        "timestamp_input_format = 'AUTO'",
        "timestamp_ntz_output_format = 'YYYY-MM-DD HH24:MI:SS.FF3'",
        "quoted_identifiers_ignore_case = false",
    ] -%}
    {{ return(parameters | join(', ')) }}
{%- endmacro %}
