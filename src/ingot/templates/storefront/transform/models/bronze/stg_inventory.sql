select
  cast(snapshot_date as date) as snapshot_date,
  cast(product_id as bigint) as product_id,
  {{ text('warehouse') }} as warehouse,
  cast(on_hand as integer) as on_hand,
  cast(reserved as integer) as reserved,
  cast(incoming as integer) as incoming
from {{ source('raw', 'inventory') }}
