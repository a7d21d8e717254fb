{#- On Snowflake an account may have set these otherwise, and results depend on them: SESSION_PARAMETERS of
    vp_pipeline/warehouse/snowflake.py, which says why; a test compares the two. -#}
{% macro session_parameters() -%}
    {%- set parameters = {
        'timezone': "'UTC'",
        'timestamp_type_mapping': "'TIMESTAMP_NTZ'",
        'week_start': 1,
        'week_of_year_policy': 0,
        'date_input_format': "'AUTO'",
        'date_output_format': "'YYYY-MM-DD'",
        'timestamp_input_format': "'AUTO'",
        'timestamp_ntz_output_format': "'YYYY-MM-DD HH24:MI:SS.FF3'",
        'quoted_identifiers_ignore_case': 'false',
    } -%}
    {%- set settings = [] -%}
    {%- for name, value in parameters.items() -%}
        {%- do settings.append(name ~ ' = ' ~ value) -%}
    {%- endfor -%}
    {{ return(settings | join(', ')) }}
{%- endmacro %}

{#- What `dbt.type_timestamp()` is on Snowflake: without a suffix a timestamp is what the account's mapping says. -#}
{% macro snowflake__type_timestamp() -%}
    timestamp_ntz
{%- endmacro %}
