-- Stock of a product in all warehouses, week by week.
select
  snapshot_date,
  product_id,
  sum(on_hand) as on_hand,
  sum(reserved) as reserved,
  sum(incoming) as incoming,
  count(*) filter (where on_hand = 0) as empty_warehouses
from {{ ref('stg_inventory') }}
group by snapshot_date, product_id
