{#- An amount in the currency's smallest unit as a decimal of the currency itself: 1999 US cents are 19.99, 4900 yen are
    4900. `digits`: the decimal places to keep. -#}
{% macro to_major_units(amount, minor_digits, digits=2) -%}
    cast({{ amount }} / power(10, {{ minor_digits }}) as decimal(18, {{ digits }}))
{%- endmacro %}
