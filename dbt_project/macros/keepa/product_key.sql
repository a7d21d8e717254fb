{#- A product in one column, `<domain_id>-<asin>`: reporting tools relate tables by one column only. -#}
{% macro product_key(relation=none) -%}
    {%- set of = relation ~ '.' if relation else '' -%}
    cast({{ of }}domain_id as varchar) || '-' || {{ of }}asin
{%- endmacro %}
