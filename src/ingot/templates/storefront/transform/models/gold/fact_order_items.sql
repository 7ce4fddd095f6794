{{ config(partition_by=['month(order_date)'], sort_by=['order_date', 'order_id']) }}
-- One row a product of an order, with the versions of product and customer that held when it was placed.
select
  i.item_id,
  i.order_id,
  i.line_number,
  p.product_key,
  i.product_id,
  c.customer_key,
  i.customer_id,
  i.campaign_id,
  {{ date_key('i.order_date') }} as date_key,
  i.order_date,
  i.order_status,
  i.quantity,
  i.unit_price,
  i.unit_cost,
  i.discount_amount,
  i.tax_amount,
  i.line_total,
  i.line_cost,
  i.line_profit,
  i.is_returned,
  i.is_sale
from {{ ref('int_order_items') }} as i
left join {{ ref('dim_products') }} as p
  on p.product_id = i.product_id
  and i.order_date >= p.effective_date
  and i.order_date < p.expiry_date
left join {{ ref('dim_customers') }} as c
  on c.customer_id = i.customer_id
  and i.order_date >= c.effective_date
  and i.order_date < c.expiry_date
