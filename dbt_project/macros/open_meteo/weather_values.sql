{#- The hourly variables, as one row per hour and variable: each is known, or not, on its own. -#}

{#- Their names, which are the columns of staging (a test compares them with the contract). -#}
{% macro weather_variables() %}
    {{ return([
        'temperature_2m',
        'apparent_temperature',
        'wet_bulb_temperature_2m',
        'relative_humidity_2m',
        'precipitation',
        'precipitation_probability',
        'pressure_msl',
        'cloud_cover',
        'wind_speed_10m',
        'wind_gusts_10m',
        'wind_direction_10m',
        'et0_fao_evapotranspiration',
        'weather_code',
    ]) }}
{% endmacro %}

{#- A relation, as a subquery: each row of `hours` once per variable, with its value, null or not. Not a CTE, because an
    engine may materialize one, and a run reads the days of its window only. -#}
{% macro weather_values(hours) -%}
(
    select
        location_id,
        cast(observed_at as date) as observed_date,
        observed_at,
        variable,
        observed_value,
        observed_value is not null as is_known,
        dataset,
        snapshot_at,
        run_date
    from (
        select
            hours.location_id,
            hours.observed_at,
            hours.dataset,
            hours.snapshot_at,
            hours.run_date,
            variables.variable,
            case variables.variable
                {%- for variable in weather_variables() %}
                when '{{ variable }}' then cast(hours.{{ variable }} as decimal(9, 4))
                {%- endfor %}
            end as observed_value
        from {{ hours }} as hours
        cross join (
            {%- for variable in weather_variables() %}
            select '{{ variable }}' as variable{{ ' union all' if not loop.last }}
            {%- endfor %}
        ) as variables
    ) as unpivoted
)
{%- endmacro %}
