-- How warm and wet was each place in the last seven days, and which hours were missing?
-- Columns: location_id, observed_date, average_temperature, precipitation_total, hours_missing, wetness_rank
select
    mart_weather_7_days.location_id,
    mart_weather_7_days.observed_date,
    round(mart_weather_7_days.average_temperature, 1) as average_temperature,
    mart_weather_7_days.precipitation_total,
    fct_weather_daily.hours_listed - fct_weather_daily.hours_observed as hours_missing,
    rank() over (
        partition by mart_weather_7_days.observed_date order by mart_weather_7_days.precipitation_total desc
    ) as wetness_rank
from mart.mart_weather_7_days
inner join mart.fct_weather_daily
    on
        mart_weather_7_days.location_id = fct_weather_daily.location_id
        and mart_weather_7_days.observed_date = fct_weather_daily.observed_date
order by mart_weather_7_days.observed_date, wetness_rank, mart_weather_7_days.location_id
