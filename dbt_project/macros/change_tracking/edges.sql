{#- The edges that tracked_ref() registered, read from the project's graph or from a model's own config. -#}

{#- The models that listen to the model `parent`: [{node, how, columns}], one entry per model and way of listening. -#}
{% macro listeners_of(parent) %}
    {%- set found = [] -%}
    {%- if execute -%}
        {%- set models = graph.nodes.values() | selectattr('resource_type', 'equalto', 'model') -%}
        {%- for node in models | sort(attribute='name') -%}
            {%- set edges = declared_edges(node).get(parent, {}) -%}
            {%- for how in ['values', 'every_row'] if how in edges.how -%}
                {%- do found.append({'node': node, 'how': how, 'columns': []}) -%}
            {%- endfor -%}
            {%- if edges.columns -%}
                {%- do found.append({'node': node, 'how': 'columns', 'columns': edges.columns}) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(found) }}
{% endmacro %}

{#- What the model `node` declared: {parent: {how: [...], columns: [...]}}. -#}
{% macro declared_edges(node) %}
    {%- set found = {} -%}
    {%- for key in node.config.meta if key.startswith('listens_to.') -%}
        {%- set parts = key.split('.') -%}
        {%- set edge = found.setdefault(parts[1], {'how': [], 'columns': []}) -%}
        {%- do edge.columns.append(parts[3]) if parts[2] == 'columns' else edge.how.append(parts[2]) -%}
    {%- endfor -%}
    {{ return(found) }}
{% endmacro %}

{#- All models with a change log, as nodes of the graph, in order of their names. -#}
{% macro models_with_change_logs() %}
    {%- set found = [] -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' and has_change_log(node) -%}
            {%- do found.append(node) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(found | sort(attribute='name')) }}
{% endmacro %}

{#- Whether the model `node` is restated by what its parents record, and so has a change log. -#}
{% macro has_change_log(node) %}
    {%- set listening = [] -%}
    {%- for edge in declared_edges(node).values() if edge.columns or edge.how | reject('equalto', 'none') | list -%}
        {%- do listening.append(edge) -%}
    {%- endfor -%}
    {{ return(listening | length > 0) }}
{% endmacro %}
