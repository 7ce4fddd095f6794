-- Hourly weather; the moment is in UTC.
select
  cast(origin as varchar) as airport,
  cast(time_hour as timestamp) as observed_at,
  cast(temp as double) as temperature_f,
  cast(dewp as double) as dew_point_f,
  cast(humid as double) as humidity,
  cast(wind_dir as integer) as wind_direction,
  cast(wind_speed as double) as wind_speed_mph,
  cast(wind_gust as double) as wind_gust_mph,
  cast(precip as double) as precipitation_in,
  cast(pressure as double) as pressure_mb,
  cast(visib as double) as visibility_mi
from {{ source('raw', 'weather') }}
