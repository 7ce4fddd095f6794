select
  cast(item_id as bigint) as item_id,
  cast(order_id as bigint) as order_id,
  cast(product_id as bigint) as product_id,
  cast(line_number as integer) as line_number,
  cast(quantity as integer) as quantity,
  {{ money('unit_price') }} as unit_price,
  {{ money('unit_cost') }} as unit_cost,
  {{ money('discount_amount') }} as discount_amount,
  {{ money('tax_amount') }} as tax_amount,
  {{ money('line_total') }} as line_total,
  cast(is_returned as boolean) as is_returned
from {{ source('raw', 'order_items') }}
