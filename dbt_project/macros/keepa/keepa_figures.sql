{#-
    The figures that Keepa has for a series and that fct_price_stats has as columns: our column, the column of its time,
    the vendor's name of it, how far apart the two may be, and the days of its window (none: it has no window).
-#}
{% macro keepa_figures() %}
    {%- set figures = [{'ours': 'current_value', 'at': none, 'theirs': 'current', 'apart': 0, 'days': none}] -%}
    {%- for days in [30, 90, 180, 365] -%}
        {#- Keepa's own arithmetic is sometimes one lower. -#}
        {%- do figures.append({
            'ours': 'avg_' ~ days ~ 'd', 'at': none, 'theirs': 'avg' ~ days, 'apart': 1, 'days': days
        }) -%}
        {%- do figures.append({
            'ours': 'out_of_stock_pct_' ~ days ~ 'd',
            'at': none, 'theirs': 'outOfStockPercentage' ~ days, 'apart': 0, 'days': days
        }) -%}
    {%- endfor -%}
    {%- do figures.append({'ours': 'min_value', 'at': 'min_at', 'theirs': 'min', 'apart': 0, 'days': none}) -%}
    {%- do figures.append({'ours': 'max_value', 'at': 'max_at', 'theirs': 'max', 'apart': 0, 'days': none}) -%}
    {{ return(figures) }}
{% endmacro %}

{#- One row per figure: figure, stat (the vendor's name), allowed_difference, is_extreme, and the minutes of history
    that it is about: the last one, its window, or (a hundred years) all time. -#}
{% macro figure_rows() -%}
    {%- for figure in keepa_figures() -%}
select
    '{{ figure.ours }}' as figure,
    '{{ figure.theirs }}' as stat,
    {{ figure.apart }} as allowed_difference,
    {{ 'true' if figure.at else 'false' }} as is_extreme,
    {{ figure.days * 1440 if figure.days else 36500 * 1440 if figure.at else 1 }} as figure_minutes
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
    as_of,
    history_begins_at,
    unknown_until,
    '{{ figure.ours }}' as figure,
    coalesce({{ figure.ours }}, -1) as our_value,
    {{ figure.at or 'cast(null as ' ~ dbt.type_timestamp() ~ ')' }} as our_value_at
from {{ relation }}
{{ 'union all' if not loop.last }}
    {% endfor -%}
{%- endmacro %}

{#- Whether a figure of ours agrees with Keepa's (`keepa_value`, `keepa_value_at` and `allowed_difference` of the same
    row): both or neither has one, at the same time, and not too far apart. -#}
{% macro agrees_with_keepa(value, value_at) -%}
    case
        when {{ value }} is null or ({{ value }} = -1) <> (keepa_value = -1) then false
        when {{ value_at }} is distinct from keepa_value_at then false
        else abs({{ value }} - keepa_value) <= allowed_difference
    end
{%- endmacro %}
