{#- `amount` / `divisor` rounded down, in integers throughout; null where the divisor is 0. Neither may be negative.
    Snowflake's `/` rounds to six places, so the remainder is taken off first and the division is without one. -#}
{% macro floor_divide(amount, divisor) -%}
    {{ return(adapter.dispatch('floor_divide')(amount, divisor)) }}
{%- endmacro %}

{% macro duckdb__floor_divide(amount, divisor) -%}
    cast(({{ amount }}) // nullif({{ divisor }}, 0) as bigint)
{%- endmacro %}

{% macro snowflake__floor_divide(amount, divisor) -%}
    cast((({{ amount }}) - mod({{ amount }}, nullif({{ divisor }}, 0))) / nullif({{ divisor }}, 0) as bigint)
{%- endmacro %}
