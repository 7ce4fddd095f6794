-- One row an airport. Four destinations in Puerto Rico and the Virgin Islands are not in the list of airports: they
-- are here with their code alone, so that their flights are not lost.
with known as (
  select
    cast(faa as varchar) as airport,
    cast(name as varchar) as airport_name,
    cast(lat as double) as latitude,
    cast(lon as double) as longitude,
    cast(alt as integer) as altitude_ft,
    cast(tzone as varchar) as time_zone
  from {{ source('raw', 'airports') }}
),

flown as (
  select origin as airport from {{ ref('stg_flights') }}
  union
  select dest from {{ ref('stg_flights') }}
)

select
  coalesce(k.airport, f.airport) as airport,
  k.airport_name,
  k.latitude,
  k.longitude,
  k.altitude_ft,
  k.time_zone,
  k.airport is not null as is_listed
from known as k
full join flown as f on f.airport = k.airport
