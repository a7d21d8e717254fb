{#- A product in one column, `<domain_id>-<asin>`: reporting tools relate tables by one column only. -#}
{% macro product_key(relation) -%}
    cast({{ relation }}.domain_id as varchar) || '-' || {{ relation }}.asin
{%- endmacro %}
