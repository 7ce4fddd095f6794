-- One row a plane. Tail numbers that fly but are not in the list of planes are here with their number alone.
with flown as (
  select distinct tailnum from {{ ref('stg_flights') }} where tailnum is not null
)

select
  coalesce(p.tailnum, f.tailnum) as tailnum,
  cast(p.year as integer) as year_built,
  cast(p.type as varchar) as plane_type,
  cast(p.manufacturer as varchar) as manufacturer,
  cast(p.model as varchar) as model,
  cast(p.engines as integer) as engines,
  cast(p.seats as integer) as seats,
  cast(p.engine as varchar) as engine_type,
  p.tailnum is not null as is_listed
from {{ source('raw', 'planes') }} as p
full join flown as f on f.tailnum = p.tailnum
