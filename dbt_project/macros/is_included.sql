{#-
    What is excluded: days of a stream, and answers of one entity (a product) on a day. A test of a model fails because of
    them, or they are being validated. Staging leaves their rows out, so that everything below is as if they had not been
    loaded. The ledger (`raw._days`, `raw._excluded_answers`) has them; the pipeline keeps it
    (vp_pipeline/warehouse/ledger.py, excluded_answers.py).
-#}

{#- A condition on the rows of a RAW table: neither their day nor their answer is excluded. `entity`: SQL of the key of
    what the answer is about, as text; never null. One text of both, because DuckDB reads a million rows in 0.05 s so where
    nothing is excluded, and in 0.35 s with a correlated `exists`. -#}
{% macro is_included(source, stream, entity) -%}
    _run_date not in (
        select days.run_date
        from {{ ledger('_days') }} as days
        where days.source = '{{ source }}' and days.stream = '{{ stream }}' and not days.is_included
    )
    and cast(_run_date as varchar) || ' ' || {{ entity }} not in (
        select cast(answers.run_date as varchar) || ' ' || answers.entity
        from {{ ledger('_excluded_answers') }} as answers
        where answers.source = '{{ source }}' and answers.stream = '{{ stream }}'
    )
{%- endmacro %}

{#- A relation of the ledger. -#}
{% macro ledger(name) %}
    {{ return(api.Relation.create(database=target.database, schema='raw', identifier=name)) }}
{% endmacro %}
