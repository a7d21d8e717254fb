{#- Written by `make generate`. The sources whose models the project has; VP_SOURCES unset: all. -#}
{% macro enabled_sources() -%}
    {{ return(env_var('VP_SOURCES', 'keepa,open_meteo,sp_api,scraperapi,order_events').split(',')) }}
{%- endmacro %}
