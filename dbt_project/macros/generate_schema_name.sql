{#- A model's schema is the name that dbt_project.yml gives it (stg, core, mart, monitoring), without the target's
    schema in front: every environment has its own database, so the names inside it are the same everywhere. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- if custom_schema_name is none -%}
        {{ target.schema }}
    {%- else -%}
        {{ custom_schema_name | trim }}
    {%- endif -%}
{%- endmacro %}
