-- One row a day, from the year before the first order to the end of the year after the last one.
with bounds as (
  select
    make_date(year(min(order_date)) - 1, 1, 1) as first_day,
    make_date(year(max(order_date)) + 1, 12, 31) as last_day
  from {{ ref('stg_orders') }}
),

days as (
  select cast(unnest(generate_series(first_day, last_day, interval 1 day)) as date) as date_day
  from bounds
)

select
  {{ date_key('date_day') }} as date_key,
  date_day,
  cast(year(date_day) as integer) as year,
  cast(quarter(date_day) as integer) as quarter,
  cast(month(date_day) as integer) as month,
  strftime(date_day, '%B') as month_name,
  strftime(date_day, '%Y-%m') as year_month,
  cast(isoyear(date_day) as integer) as iso_year,
  cast(weekofyear(date_day) as integer) as iso_week,
  cast(isodow(date_day) as integer) as day_of_week,
  strftime(date_day, '%A') as day_name,
  cast(day(date_day) as integer) as day_of_month,
  cast(dayofyear(date_day) as integer) as day_of_year,
  isodow(date_day) >= 6 as is_weekend,
  date_day = last_day(date_day) as is_month_end,
  month(date_day) in (11, 12) as is_holiday_season
from days
