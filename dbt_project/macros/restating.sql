{#-
    Restating models whose code has changed, and recording which code a model was built with.

    The pipeline compares the code of each model (vp_pipeline/dbt/fingerprints.py) with the one recorded in `raw._models`
    before it builds, and passes what differs as {model: fingerprint} in a variable that begins with
    DBT_ENV_CUSTOM_ENV_: dbt takes those as they are, and does not parse the project again when one changes. Those models
    are built as a whole, and record the fingerprint in the transaction that replaces their rows. A model that is built
    by dbt alone records nothing, so the pipeline restates it if its code is another one.
-#}

{#- {model: fingerprint} of the models to build as a whole in this invocation. -#}
{% macro models_to_restate() %}
    {{ return(fromjson(dbt_metadata_envs.get('VP_RESTATE', '{}'))) }}
{% endmacro %}

{#- Overrides dbt's own macro, called by is_incremental() and the materializations: true for a model to restate too. -#}
{% macro should_full_refresh() %}
    {%- if model.name in models_to_restate() -%}
        {{ return(true) }}
    {%- endif -%}
    {%- set configured = config.get('full_refresh') -%}
    {{ return(flags.FULL_REFRESH if configured is none else configured) }}
{% endmacro %}

{% macro recorded_code() %}
    {{ return(api.Relation.create(database=target.database, schema='raw', identifier='_models')) }}
{% endmacro %}

{#- What the model was built with, in the transaction that built it (post-hook). -#}
{% macro record_code() %}
    {%- set code = models_to_restate().get(model.name) -%}
    {%- if code %}
delete from {{ recorded_code() }} where model = '{{ model.name }}';
insert into {{ recorded_code() }} (model, relation, code, built_at)
select '{{ model.name }}', '{{ this.schema }}.{{ this.identifier }}', '{{ code }}', {{ dbt.current_timestamp() }};
    {%- endif -%}
{% endmacro %}
