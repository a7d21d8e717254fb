{#-
    Reading by change: a fact or mart restates the products in its change log, and reads the rows of no others.

    A model with observed_date in its key is restated from the first changed day of a product on, any other for the whole
    product (macros/incremental_strategies/changed_products.sql).
-#}

{#-
    The rows of the model `parent` (with asin and domain_id) that the rows to restate depend on; all rows where everything
    changed. It registers the edge as tracked_ref() does, so `listens` is as there.

    since: its date column, for models that are restated by day: the rows from `days_before` days before the first
    changed day on. restated_from is that first changed day.
-#}
{% macro changed_rows(parent, listens, since=none, days_before=0) -%}
{%- set relation = tracked_ref(parent, listens) -%}
{%- if not is_incremental() -%}
select
    part.*,
    cast({{ beginning_of_time() }} as date) as restated_from
from {{ relation }} as part
{%- else -%}
select
    part.*,
    restated.from_date as restated_from
from {{ relation }} as part
inner join ({{ changed_products(this.identifier) }}) as restated
    on part.asin = restated.asin and part.domain_id = restated.domain_id
{%- if since %}
where {{ days_between('restated.from_date', 'part.' ~ since) }} >= -1 * {{ days_before }}
{%- endif %}
union all
select
    part.*,
    cast({{ beginning_of_time() }} as date) as restated_from
from {{ relation }} as part
cross join (select min(touched_at) as touched_at from {{ change_log(this.identifier) }} where asin is null) as everything
where everything.touched_at is not null
{%- endif -%}
{%- endmacro %}

{#- asin, domain_id and from_date of every changed product; empty where everything changed. -#}
{% macro changed_products(model_name) -%}
select
    changed_products.asin,
    changed_products.domain_id,
    changed_products.from_date
from ({{ changed_from(model_name) }}) as changed_products
where
    changed_products.asin is not null
    and not exists (select 1 from {{ change_log(model_name) }} as events where events.asin is null)
{%- endmacro %}

{#- asin, domain_id (null: everything) and from_date of what changed. A model that reads core_keepa_product looks at the
    snapshot of the product as well (changed_days); the listeners of such a model have it from there already. -#}
{% macro changed_from(model_name) -%}
select
    by_history.asin,
    by_history.domain_id,
    min(by_history.from_date) as from_date
from (
    {%- if 'model.vp_pipeline.core_keepa_product' in model.depends_on.nodes %}
    {{- changed_days(model_name, ref('core_keepa_product')) }}
    {%- else %}
select
    asin,
    domain_id,
    cast(touched_at as date) as from_date
from {{ change_log(model_name) }}
    {%- endif %}
) as by_history
group by by_history.asin, by_history.domain_id
{%- endmacro %}
