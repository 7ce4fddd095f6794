-- Departures with fixed types. Clock times such as 517 are 5:17 local time at the airport; 2400 is midnight.
-- The hour of the schedule, `time_hour`, is the same moment in UTC.
select
  make_date(cast(year as integer), cast(month as integer), cast(day as integer)) as flight_date,
  cast(carrier as varchar) as carrier,
  cast(flight as integer) as flight_number,
  cast(tailnum as varchar) as tailnum,
  cast(origin as varchar) as origin,
  cast(dest as varchar) as dest,
  cast(time_hour as timestamp) + to_minutes(cast(minute as integer)) as scheduled_at,
  cast(sched_dep_time as integer) as sched_dep_time,
  cast(dep_time as integer) as dep_time,
  cast(dep_delay as integer) as dep_delay,
  cast(sched_arr_time as integer) as sched_arr_time,
  cast(arr_time as integer) as arr_time,
  cast(arr_delay as integer) as arr_delay,
  cast(air_time as integer) as air_time,
  cast(distance as integer) as distance,
  cast(hour as integer) as scheduled_hour,
  date_trunc('hour', cast(time_hour as timestamp)) as weather_hour
from {{ source('raw', 'flights') }}
