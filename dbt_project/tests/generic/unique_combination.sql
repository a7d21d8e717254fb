{#- No two rows have the same values in `columns`. `in_window`: look at the run's partition window only (where the model
    holds every day and the rest was looked at when it was loaded). -#}
{% test unique_combination(model, columns, in_window=false) %}
select
    {{ columns | join(', ') }},
    count(*) as number_of_rows
from {{ model }}
{%- if in_window %}
where {{ in_partition_window('run_date') }}
{%- endif %}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
