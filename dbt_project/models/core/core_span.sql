{{ config(materialized='view') }}

{% for source in enabled_sources() %}
    select * from {{ ref('core_' ~ source ~ '_span') }}
    {{ 'union all' if not loop.last }}
{% endfor %}
