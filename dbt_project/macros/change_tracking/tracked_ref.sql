{#-
    How a model listens to the models that it reads, declared where it reads them. docs/dbt.md has a worked example.

    An incremental model restates what changed in its parents, and nothing else. So each ref between two incremental
    models has to declare how the child learns of a change, and tracked_ref() is that ref. It registers the edge in the
    child's own config while dbt parses; the parent finds its listeners in the project's graph when it runs. There is no
    other list of edges to keep: an edge that is not declared is a ref that is not there, or one that a test reports.

    listens  values     a value of the parent changed; it records since when
             every_row  a row of the parent appeared, went, or was confirmed by another response
             window     the parent is not incremental: it has rows in the window of run_dates of this run
             none       the child need not listen; `reason` is why
    columns  in addition, or alone: these columns of the parent describe a product, and when one of them changes the
             product is restated from its first day on

    Each is a key of its own in `meta`, `listens_to.<parent>.<how>`: dbt merges the keys of `meta` from several calls of
    config(), and replaces the values. A model may read a parent in several places; what they declare adds up.
-#}
{% macro tracked_ref(parent, listens=none, columns=[], reason=none) %}
    {%- if listens not in ['values', 'every_row', 'window', 'none'] and not (listens is none and columns) -%}
        {{ exceptions.raise_compiler_error(
            model.name ~ " does not declare how it listens to " ~ parent ~ ". Pass listens='values', 'every_row',"
            ~ " 'window' or 'none', or columns=[...]: docs/dbt.md has what they mean."
        ) }}
    {%- endif -%}
    {%- if listens == 'none' and not reason -%}
        {{ exceptions.raise_compiler_error(
            model.name ~ " declares that it does not listen to " ~ parent ~ ", but not why. Pass reason='...'."
        ) }}
    {%- endif -%}
    {%- set edge = 'listens_to.' ~ parent ~ '.' -%}
    {%- if listens is not none -%}
        {%- do config(meta={edge ~ listens: reason or true}) -%}
    {%- endif -%}
    {%- for column in columns -%}
        {%- do config(meta={edge ~ 'columns.' ~ column: true}) -%}
    {%- endfor -%}
    {{ return(ref(parent)) }}
{% endmacro %}
