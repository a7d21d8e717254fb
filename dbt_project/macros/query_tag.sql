{#-
    What Snowflake's history shows of a statement: the run of the pipeline, the model, and the window of days.

    dbt-snowflake calls it before a node is built; every node sets its own, so none is put back. The run comes by a
    variable that begins with DBT_ENV_CUSTOM_ENV_: dbt takes those as they are, and does not parse the project again when
    one changes.
-#}
{% macro snowflake__set_query_tag() -%}
    {%- set window = partition_window() or {} -%}
    {%- set tag = {
        'app': 'vp_pipeline',
        'run': dbt_metadata_envs.get('VP_RUN', 'none'),
        'asset': model.name,
        'partition': window.get('start', 'all') ~ ' to ' ~ window.get('end', 'all'),
    } -%}
    {%- do run_query("alter session set query_tag = '" ~ (tojson(tag) | replace("'", "''")) ~ "'") -%}
    {{ return(none) }}
{%- endmacro %}
