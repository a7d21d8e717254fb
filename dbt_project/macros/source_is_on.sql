{#- Whether a source is on: one that is off has no models. -#}
{% macro source_is_on(source) %}
    {{ return(source in enabled_sources()) }}
{% endmacro %}
