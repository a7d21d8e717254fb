{#-
    What a model's rows are about: the unit in which changes are recorded and restated.

    `meta` of the model has it (dbt_project.yml, by folder): `entity` has the columns of its key with their SQL types
    (asin and domain_id of a product), and `snapshots`, where the histories of an entity last as long as it is observed,
    the model with one row per entity and its snapshot_at. A parent that records changes for a listener has the columns of
    the listener's entity.
-#}

{#- {column: SQL type} of the entity of the model `node`. A unit test has no such configuration, and needs none. -#}
{% macro entity_of(node) %}
    {%- if not node.config.meta.entity -%}
        {{ exceptions.raise_compiler_error(
            node.name ~ " restates what changed, but its folder in dbt_project.yml names no entity. Add"
            ~ " `+meta: {entity: {<column>: <SQL type>}}`: docs/dbt.md has what it is."
        ) }}
    {%- endif -%}
    {{ return(node.config.meta.entity) }}
{% endmacro %}

{#- The columns of the key of the entity of `node`, as a list. -#}
{% macro entity_key(node) %}
    {{ return(entity_of(node).keys() | list) }}
{% endmacro %}

{#- The relation of the snapshots of the entity, if the model reads it; otherwise none. -#}
{% macro snapshots_of_entity() %}
    {%- set name = model.config.meta.snapshots -%}
    {{ return(ref(name) if name and 'model.vp_pipeline.' ~ name in model.depends_on.nodes else none) }}
{% endmacro %}
