-- One row a day of 2013.
with days as (
  select cast(unnest(generate_series(date '2013-01-01', date '2013-12-31', interval 1 day)) as date) as date_day
)

select
  date_day,
  cast(quarter(date_day) as integer) as quarter,
  cast(month(date_day) as integer) as month,
  strftime(date_day, '%B') as month_name,
  cast(isodow(date_day) as integer) as day_of_week,
  strftime(date_day, '%A') as day_name,
  isodow(date_day) >= 6 as is_weekend
from days
