{{ config(sort_by=['snapshot_date']) }}
-- One row a product, warehouse and week.
select
  {{ date_key('i.snapshot_date') }} as date_key,
  i.snapshot_date,
  p.product_key,
  i.product_id,
  i.warehouse,
  i.on_hand,
  i.reserved,
  i.incoming,
  i.on_hand - i.reserved as available,
  cast(i.on_hand * p.cost as decimal(14, 2)) as stock_value,
  i.snapshot_date = max(i.snapshot_date) over () as is_latest
from {{ ref('stg_inventory') }} as i
left join {{ ref('dim_products') }} as p
  on p.product_id = i.product_id
  and i.snapshot_date >= p.effective_date
  and i.snapshot_date < p.expiry_date
