-- Versions of products; the present version also has its stock and rating.
select
  {{ version_columns('v.product_id') }},
  v.product_id, v.sku, v.product_name, v.category, v.subcategory, v.brand, v.supplier, v.price, v.cost,
  cast(v.price - v.cost as decimal(12, 2)) as unit_margin,
  v.weight_kg, v.color, v.size, v.launch_date, v.discontinued_at, v.is_active,
  p.inventory_quantity, v.reorder_level, v.reorder_quantity,
  v.is_active and p.inventory_quantity < v.reorder_level as is_below_reorder,
  p.rating, p.updated_at
from {{ ref('product_versions') }} as v
left join {{ ref('stg_products') }} as p on p.product_id = v.product_id
