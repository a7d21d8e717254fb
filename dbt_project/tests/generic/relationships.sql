{#- In place of dbt's own, which selects the column alone: whole rows, so that it is known whose they are. -#}
{% test relationships(model, column_name, to, field) %}
select child.*
from {{ model }} as child
left join {{ to }} as parent on child.{{ column_name }} = parent.{{ field }}
where child.{{ column_name }} is not null and parent.{{ field }} is null
{% endtest %}
