{#-
    Facts and marts by touched product: a run restates the products that changed, and reads no others.

    They are told as the daily tables are (macros/touched.sql): whoever changes writes into `core._touched_<model>` of
    each model in its `meta.touches`, in the same transaction. A daily table or a fact passes on what it restated. A model
    with observed_date in its key is restated from the first touched day of a product on, any other for the whole product.

    Two more ways to be told, for models that rest on more than values:
    meta.touches_rows  whenever a row of a product comes, goes or is confirmed by another answer;
    meta.describes     {model: columns}: when one of these columns of a product changes, its whole history.
-#}

{#- asin, domain_id (null: everything) and from_date of what is touched. Where points themselves are read, the
    snapshot of their product counts (macros/touched.sql); who is told by such a model is told of that already. -#}
{% macro touched_from(model_name) -%}
select
    by_history.asin,
    by_history.domain_id,
    min(by_history.from_date) as from_date
from (
    {%- if 'model.vp_pipeline.core_keepa_product' in model.depends_on.nodes %}
    {{- touched_days(model_name, ref('core_keepa_product')) }}
    {%- else %}
select
    asin,
    domain_id,
    cast(touched_at as date) as from_date
from {{ touched(model_name) }}
    {%- endif %}
) as by_history
group by by_history.asin, by_history.domain_id
{%- endmacro %}

{#- asin, domain_id, from_date of every touched product; empty where everything is touched. -#}
{% macro restated_products(model_name) -%}
select
    touched_products.asin,
    touched_products.domain_id,
    touched_products.from_date
from ({{ touched_from(model_name) }}) as touched_products
where
    touched_products.asin is not null
    and not exists (select 1 from {{ touched(model_name) }} as events where events.asin is null)
{%- endmacro %}

{#-
    The rows of `relation` (with asin and domain_id) that the rows to restate rest on; all where everything is touched.

    since: its date column, for models that are restated by day: the rows from `days_before` days before the first
    touched day on. restated_from is that first touched day.
-#}
{% macro touched_rows(relation, since=none, days_before=0) -%}
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
inner join ({{ restated_products(this.identifier) }}) as restated
    on part.asin = restated.asin and part.domain_id = restated.domain_id
{%- if since %}
where {{ days_between('restated.from_date', 'part.' ~ since) }} >= -1 * {{ days_before }}
{%- endif %}
union all
select
    part.*,
    cast({{ beginning_of_time() }} as date) as restated_from
from {{ relation }} as part
cross join (select min(touched_at) as touched_at from {{ touched(this.identifier) }} where asin is null) as everything
where everything.touched_at is not null
{%- endif -%}
{%- endmacro %}

{#- For a model that rests on answers themselves: every product that an answer of the window tells of (pre-hook). -#}
{% macro touch_answered(model_name, answers) %}
    {%- if is_incremental() %}
insert into {{ touched(model_name) }} (asin, domain_id, history, touched_at)
select distinct
    answers.asin,
    answers.domain_id,
    cast(null as varchar) as history,
    {{ beginning_of_time() }} as touched_at
from {{ answers }} as answers
where {{ in_partition_window('answers.run_date') }}
    {%- endif -%}
{% endmacro %}

{#- Tells the models in meta.touches what the rows that are restated now touch there; in the same transaction. -#}
{% macro pass_on(target_relation) %}
{%- for name in model.config.meta.get('touches', []) %}
insert into {{ touched(name) }} (asin, domain_id, history, touched_at)
select
    days.asin,
    days.domain_id,
    cast(null as varchar) as history,
    cast(days.from_date as timestamp) as touched_at
from ({{ touched_from(target_relation.identifier) }}) as days;
{% endfor -%}
{% endmacro %}

{#- The incremental strategy of facts and marts; dbt finds it by this name. -#}
{% macro get_incremental_touched_products_sql(arg_dict) %}
    {{ return(adapter.dispatch('touched_products_dml')(
        arg_dict['target_relation'], arg_dict['temp_relation'], arg_dict['unique_key'],
        arg_dict['dest_columns'] | map(attribute='name') | list
    )) }}
{% endmacro %}

{#- The adapter's own transaction holds the statements. -#}
{% macro default__touched_products_dml(target_relation, temp_relation, key, columns) %}
{{ pass_on(target_relation) }}
delete from {{ target_relation }} as old
using ({{ restated_products(target_relation.identifier) }}) as restated
where
    old.asin = restated.asin
    and old.domain_id = restated.domain_id
    {%- if 'observed_date' in key %}
    and old.observed_date >= restated.from_date
    {%- endif %};

delete from {{ target_relation }}
where exists (select 1 from {{ touched(target_relation.identifier) }} as events where events.asin is null);

insert into {{ target_relation }} ({{ columns | join(', ') }})
select {{ columns | join(', ') }} from {{ temp_relation }}
{% endmacro %}

{#- Snowflake commits each statement unless a transaction is asked for. -#}
{% macro snowflake__touched_products_dml(target_relation, temp_relation, key, columns) %}
    {{ return(snowflake_dml_explicit_transaction(
        default__touched_products_dml(target_relation, temp_relation, key, columns)
    )) }}
{% endmacro %}
