{#- The open of a day is the close of the row before, in each history (`history`: its key columns). Nulls are equal. -#}
{% test opens_where_it_closed(model, history, date_column, open_column, close_column) %}
{%- set in_order = 'partition by ' ~ history | join(', ') ~ ' order by ' ~ date_column %}
with
numbered as (
    select
        {{ (history + [date_column, open_column]) | join(', ') }},
        row_number() over ({{ in_order }}) as day_number,
        lag({{ close_column }}) over ({{ in_order }}) as close_before
    from {{ model }}
)

select {{ (history + [date_column, open_column, 'close_before']) | join(', ') }}
from numbered
where day_number > 1 and {{ open_column }} is distinct from close_before
{% endtest %}
