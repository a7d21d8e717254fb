{#-
    The figures that Keepa has for a series and that fct_price_stats has as columns: our column, the column of its time,
    the vendor's name of it, and how far apart the two may be.
-#}
{% macro keepa_figures() %}
    {%- set figures = [{'ours': 'current_value', 'at': none, 'theirs': 'current', 'apart': 0}] -%}
    {%- for days in [30, 90, 180, 365] -%}
        {#- Keepa's own arithmetic is sometimes one lower. -#}
        {%- do figures.append({'ours': 'avg_' ~ days ~ 'd', 'at': none, 'theirs': 'avg' ~ days, 'apart': 1}) -%}
        {%- set share = 'out_of_stock_pct_' ~ days ~ 'd' -%}
        {%- do figures.append({'ours': share, 'at': none, 'theirs': 'outOfStockPercentage' ~ days, 'apart': 0}) -%}
    {%- endfor -%}
    {%- do figures.append({'ours': 'min_value', 'at': 'min_at', 'theirs': 'min', 'apart': 0}) -%}
    {%- do figures.append({'ours': 'max_value', 'at': 'max_at', 'theirs': 'max', 'apart': 0}) -%}
    {{ return(figures) }}
{% endmacro %}

{#- One row per figure: figure, stat (the vendor's name), allowed_difference. -#}
{% macro figure_rows() -%}
    {%- for figure in keepa_figures() -%}
select
    '{{ figure.ours }}' as figure,
    '{{ figure.theirs }}' as stat,
    {{ figure.apart }} as allowed_difference
{{ 'union all' if not loop.last }}
    {% endfor -%}
{%- endmacro %}

{#- `relation`, made like fct_price_stats, with one row per figure: our_value (-1 for null) and our_value_at. -#}
{% macro figures_long(relation) -%}
    {%- for figure in keepa_figures() -%}
select
    asin,
    domain_id,
    series,
    snapshot_at,
    first_observed_at,
    '{{ figure.ours }}' as figure,
    coalesce({{ figure.ours }}, -1) as our_value,
    {{ figure.at or 'cast(null as timestamp)' }} as our_value_at
from {{ relation }}
{{ 'union all' if not loop.last }}
    {% endfor -%}
{%- endmacro %}
