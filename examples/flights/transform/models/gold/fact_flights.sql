{{ config(partition_by=['month(flight_date)'], sort_by=['flight_date', 'scheduled_at']) }}
-- One row a scheduled departure. Cancelled: no departure time. Diverted: departed, but no arrival delay recorded.
select
  cast(row_number() over (order by scheduled_at, carrier, flight_number, origin, dest) as bigint) as flight_id,
  flight_date,
  scheduled_at,
  scheduled_hour,
  weather_hour,
  carrier,
  flight_number,
  tailnum,
  origin,
  dest,
  origin || '-' || dest as route,
  sched_dep_time,
  dep_time,
  dep_delay,
  sched_arr_time,
  arr_time,
  arr_delay,
  air_time,
  distance,
  dep_time is null as is_cancelled,
  dep_time is not null and arr_delay is null as is_diverted,
  dep_delay >= 15 as is_departure_late,
  arr_delay >= 15 as is_arrival_late
from {{ ref('stg_flights') }}
