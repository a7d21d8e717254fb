with
spans as (
    select * from {{ ref('core_span') }}
),

bounds as (
    select
        min(first_date) as first_date,
        max(last_date) as last_date
    from spans
),

calendar as (
    {{ each_day('bounds', ['first_date'], 'first_date', 'last_date') | indent(4) }}
),

-- Engines number the days of a week differently: counted from a Monday they agree.
weekdays as (
    select
        observed_date as calendar_date,
        mod({{ days_between("cast('1900-01-01' as date)", 'observed_date') }}, 7) + 1 as iso_weekday
    from calendar
),

-- By ISO 8601 a week is of the year that its Thursday is in.
weeks as (
    select
        calendar_date,
        iso_weekday,
        {{ day_plus('calendar_date', '1 - iso_weekday') }} as week_start_date,
        {{ day_plus('calendar_date', '4 - iso_weekday') }} as thursday
    from weekdays
)

select
    calendar_date,
    cast(extract(year from calendar_date) as bigint) as calendar_year,
    cast(extract(quarter from calendar_date) as bigint) as calendar_quarter,
    cast(extract(month from calendar_date) as bigint) as calendar_month,
    case extract(month from calendar_date)
        when 1 then 'January'
        when 2 then 'February'
        when 3 then 'March'
        when 4 then 'April'
        when 5 then 'May'
        when 6 then 'June'
        when 7 then 'July'
        when 8 then 'August'
        when 9 then 'September'
        when 10 then 'October'
        when 11 then 'November'
        when 12 then 'December'
    end as month_name,
    cast(extract(day from calendar_date) as bigint) as day_of_month,
    cast({{ days_between("cast(date_trunc('year', calendar_date) as date)", 'calendar_date') }} + 1 as bigint)
        as day_of_year,
    cast(iso_weekday as bigint) as iso_weekday,
    case iso_weekday
        when 1 then 'Monday'
        when 2 then 'Tuesday'
        when 3 then 'Wednesday'
        when 4 then 'Thursday'
        when 5 then 'Friday'
        when 6 then 'Saturday'
        when 7 then 'Sunday'
    end as weekday_name,
    iso_weekday >= 6 as is_weekend,
    cast(extract(year from thursday) as bigint) as iso_year,
    cast(floor({{ days_between("cast(date_trunc('year', thursday) as date)", 'thursday') }} / 7) + 1 as bigint)
        as iso_week,
    week_start_date,
    cast(date_trunc('month', calendar_date) as date) as month_start_date
from weeks
