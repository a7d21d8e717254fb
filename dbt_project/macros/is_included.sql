{#-
    Days of a stream that are excluded: a test of a model fails because of them, or they are being bisected. Staging
    leaves their rows out, so that everything below is as if they had not been loaded. The ledger `raw._days` has them; the
    pipeline keeps it (vp_pipeline/warehouse/ledger.py).
-#}

{#- A condition on a RAW table: its day is not excluded. -#}
{% macro is_included(source, stream) -%}
    _run_date not in (
        select days.run_date
        from {{ day_ledger() }} as days
        where days.source = '{{ source }}' and days.stream = '{{ stream }}' and not days.is_included
    )
{%- endmacro %}

{#- The ledger's relation. -#}
{% macro day_ledger() %}
    {{ return(api.Relation.create(database=target.database, schema='raw', identifier='_days')) }}
{% endmacro %}
