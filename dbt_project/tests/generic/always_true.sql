{#- Every row satisfies every one of `conditions` (null counts as satisfied: combine with not_null_columns).
    A row that does not has the first that it breaks in `broken_condition`. -#}
{% test always_true(model, conditions) %}
select
    *,
    case
        {% for condition in conditions -%}
        when not ({{ condition }}) then '{{ condition | replace("'", "''") }}'
        {% endfor -%}
    end as broken_condition
from {{ model }}
where
    {% for condition in conditions -%}
    {{ 'or ' if not loop.first }}not ({{ condition }})
    {% endfor -%}
{% endtest %}
