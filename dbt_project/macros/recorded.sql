{#-
    What the pipeline records of its runs (vp_pipeline/quality/monitoring.py writes it, the mon_ models read it).

    Tables of plain facts in the schema `monitoring`. The pipeline creates them (vp_pipeline/warehouse/migrations.py).
-#}
{% macro recorded(name) %}
    {{ return(api.Relation.create(database=target.database, schema='monitoring', identifier='_' ~ name)) }}
{% endmacro %}
