{#-
    What every node on Snowflake begins with. dbt-snowflake calls this macro before it builds or tests anything.

    First a rollback. dbt-snowflake never does that itself: after a statement that fails within `begin` and `commit` the
    transaction stays open, and the next statement of the session that defines an object would commit what was done
    before the failure. Without a transaction it does nothing.

    Then the session's parameters (session_parameters.sql) and the tag, which Snowflake's history shows with each statement: the run of the pipeline, the model, and the window
    of days. Every node sets its own, so none is put back. The run comes by a variable that begins with
    DBT_ENV_CUSTOM_ENV_: dbt takes those as they are, and does not parse the project again when one changes.
-#}
{% macro snowflake__set_query_tag() -%}
    {%- do run_query("rollback") -%}
    {%- set window = partition_window() or {} -%}
    {%- set tag = {
        'app': 'vp_pipeline',
        'run': dbt_metadata_envs.get('VP_RUN', 'none'),
        'asset': model.name,
        'partition': window.get('start', 'all') ~ ' to ' ~ window.get('end', 'all'),
    } -%}
    {%- do run_query(
        "alter session set query_tag = '" ~ (tojson(tag) | replace("'", "''")) ~ "', " ~ session_parameters()
    ) -%}
    {{ return(none) }}
{%- endmacro %}
