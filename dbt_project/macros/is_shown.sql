{#-
    Days of a stream that are withheld: a test of a model is red because of them, or they are being judged. Staging leaves
    their rows out, so that everything below is as if they had not been loaded. The ledger `raw._days` names them; the
    pipeline keeps it (vp_pipeline/warehouse/ledger.py).
-#}
{% macro ledger_of_days() %}
    {{ return(api.Relation.create(database=target.database, schema='raw', identifier='_days')) }}
{% endmacro %}

{#- Before anything else: dbt alone, without the pipeline, finds the ledger too. -#}
{% macro create_ledger_of_days() %}
create schema if not exists {{ ledger_of_days().without_identifier() }};
create table if not exists {{ ledger_of_days() }} (
    source varchar, stream varchar, run_date date, is_shown boolean,
    is_settled boolean, reason varchar, run_id varchar, changed_at timestamp
);
{% endmacro %}

{#- A condition on a RAW table: its day is not withheld. -#}
{% macro is_shown(source, stream) -%}
    _run_date not in (
        select days.run_date
        from {{ ledger_of_days() }} as days
        where days.source = '{{ source }}' and days.stream = '{{ stream }}' and not days.is_shown
    )
{%- endmacro %}
