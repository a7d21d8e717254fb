{#- first_date and last_date of each of `relations` by the columns `key` (none: of the whole relation), as rows. A
    history has every day from its first to its last, and an engine keeps the extremes of a column. -#}
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
