with
days as (
    select * from {{ ref('fct_weather_daily') }}
),

-- By the calendar, not by rows: a day that has none is missing from the sums, and none before it takes its place.
weeks as (
    select
        days.location_id,
        days.observed_date,
        cast(sum(earlier.hours_observed) as bigint) as hours_observed,
        sum(earlier.temperature_sum) as temperature_sum,
        cast(sum(earlier.temperature_hours) as bigint) as temperature_hours,
        sum(earlier.precipitation_observed) as precipitation_observed,
        cast(sum(earlier.precipitation_hours) as bigint) as precipitation_hours
    from days
    inner join days as earlier
        on
            days.location_id = earlier.location_id
            and days.observed_date >= earlier.observed_date
            and {{ days_between('earlier.observed_date', 'days.observed_date') }} < 7
    group by days.location_id, days.observed_date
)

select
    location_id,
    observed_date,
    hours_observed,
    temperature_hours = 168 and precipitation_hours = 168 as is_complete,
    temperature_sum,
    temperature_hours,
    cast(temperature_sum as double) / nullif(temperature_hours, 0) as average_temperature,
    precipitation_observed,
    precipitation_hours,
    case when precipitation_hours = 168 then precipitation_observed end as precipitation_total
from weeks
