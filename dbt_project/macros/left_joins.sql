{#- A left join of each of `relations` to `base` on the columns `key`, which all of them have. -#}
{% macro left_joins(base, relations, key) -%}
    {%- for relation in relations -%}
left join {{ relation }} on {{ same_key(base, relation, key) }}
{% endfor -%}
{%- endmacro %}
