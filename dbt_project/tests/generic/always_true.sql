{#- Every row satisfies every one of `conditions` (null counts as satisfied: combine with not_null_columns). -#}
{% test always_true(model, conditions) %}
select *
from {{ model }}
where
    {% for condition in conditions -%}
    {{ 'or ' if not loop.first }}not ({{ condition }})
    {% endfor -%}
{% endtest %}
