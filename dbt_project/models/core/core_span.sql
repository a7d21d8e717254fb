{{ config(materialized='view') }}

with
spans as (
    {% for source in enabled_sources() %}
        select * from {{ ref('core_' ~ source ~ '_span') }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    min(first_date) as first_date,
    max(last_date) as last_date
from spans
