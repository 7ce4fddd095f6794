-- Order items with what they need of their order, and their cost and profit.
select
  i.*,
  o.customer_id,
  o.campaign_id,
  o.order_date,
  o.order_day,
  o.order_status,
  o.is_revenue and not i.is_returned as is_sale,
  cast(i.quantity * i.unit_cost as decimal(12, 2)) as line_cost,
  cast(i.line_total - i.quantity * i.unit_cost as decimal(12, 2)) as line_profit
from {{ ref('stg_order_items') }} as i
join {{ ref('int_orders') }} as o on o.order_id = i.order_id
