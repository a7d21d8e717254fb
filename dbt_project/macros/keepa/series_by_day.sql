{#- Every series of a change table with the columns series and series_value, day by day: step_function_by_day() with the
    time-weighted mean. Prices and ranks have columns of other names, and are models of their own. -#}
{% macro series_by_day(changes, snapshots) -%}
with
by_day as (
    {{ step_function_by_day(
        changes, snapshots, entity=['asin', 'domain_id'], history=['series'], value='series_value'
    ) | indent(4) }}
)

select
    asin,
    domain_id,
    series,
    observed_date,
    open_value,
    high_value,
    low_value,
    close_value,
    cast(value_minutes as double) / nullif(known_minutes, 0) as average_value,
    value_minutes,
    known_minutes,
    observed_minutes,
    changes
from by_day
{%- endmacro %}
