{#- Each history (`history`: its key columns) has every day from its first to its last exactly once.
    No key columns: the table is one history. -#}
{% test every_day_once(model, history, date_column) %}
select
    {{ (history | join(', ')) ~ ',' if history }}
    min({{ date_column }}) as first_date,
    max({{ date_column }}) as last_date,
    count(*) as number_of_rows,
    count(distinct {{ date_column }}) as number_of_days
from {{ model }}
{{ 'group by ' ~ (history | join(', ')) if history }}
having
    count(*) <> count(distinct {{ date_column }})
    or count(*) <> {{ dbt.datediff('min(' ~ date_column ~ ')', 'max(' ~ date_column ~ ')', 'day') }} + 1
{% endtest %}
