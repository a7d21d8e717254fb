{#-
    What the pipeline records of its runs (vp_pipeline/quality/monitoring.py writes it, the mon_ models read it).

    Tables of plain facts in the schema `monitoring`, made here before anything else, so that the models on them can be
    built in the very first run.
-#}
{% macro recorded(name) %}
    {{ return(api.Relation.create(database=target.database, schema='monitoring', identifier='_' ~ name)) }}
{% endmacro %}

{% macro create_recorded() %}
create schema if not exists {{ recorded('runs').without_identifier() }};
create table if not exists {{ recorded('runs') }} (
    run_id varchar,
    run_date date,
    airbyte_job_id varchar,
    rows_loaded bigint,
    models_built bigint,
    models_failed bigint,
    tests_passed bigint,
    tests_warned bigint,
    tests_failed bigint,
    started_at timestamp,
    finished_at timestamp,
    seconds double
);
create table if not exists {{ recorded('test_results') }} (
    run_id varchar,
    first_date date,
    last_date date,
    layer varchar,
    model varchar,
    test_name varchar,
    status varchar,
    failing_rows bigint,
    seconds double,
    finished_at timestamp
);
create table if not exists {{ recorded('model_builds') }} (
    run_id varchar,
    first_date date,
    last_date date,
    layer varchar,
    model varchar,
    status varchar,
    seconds double,
    rows_written bigint,
    rows_total bigint,
    query_id varchar,
    is_restated boolean,
    finished_at timestamp
);
create table if not exists {{ recorded('rows') }} (
    run_id varchar,
    run_date date,
    layer varchar,
    asset varchar,
    row_count bigint,
    finished_at timestamp
);
{% endmacro %}
