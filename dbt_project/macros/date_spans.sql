{#- first_date and last_date of each of `relations` by the columns `key` (none: of the whole relation), as rows: the days
    of a history have no gap, and an engine keeps the extremes of a column. -#}
{% macro date_spans(relations, key=[]) -%}
    {%- for relation in relations -%}
select
    {{ (key | join(',\n    ') ~ ',\n    ') if key }}min(observed_date) as first_date,
    max(observed_date) as last_date
from {{ relation }}
{{ 'group by ' ~ key | join(', ') if key }}
{{ 'union all' if not loop.last }}
{% endfor -%}
{%- endmacro %}
