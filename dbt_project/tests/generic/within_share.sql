{#- At most `share` of the rows break `condition`. The rows that do are the result, and only if they are too many. -#}
{% test within_share(model, condition, share) %}
with
counted as (
    select
        count(*) as number_of_rows,
        sum(case when {{ condition }} then 0 else 1 end) as number_broken
    from {{ model }}
)

select model_rows.*
from {{ model }} as model_rows
cross join counted
where not ({{ condition }}) and counted.number_broken > {{ share }} * counted.number_of_rows
{% endtest %}
