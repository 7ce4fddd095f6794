{{ config(sort_by=['order_date']) }}
-- One row an order, with the version of its customer that held when it was placed.
select
  o.order_id,
  o.order_number,
  c.customer_key,
  o.customer_id,
  o.campaign_id,
  {{ date_key('o.order_date') }} as date_key,
  o.order_date,
  o.order_status,
  o.status_stage,
  o.is_revenue,
  o.payment_method,
  o.payment_status,
  o.paid_at,
  o.channel,
  o.device,
  o.coupon_code,
  o.currency,
  o.subtotal,
  o.discount_amount,
  o.shipping_amount,
  o.tax_amount,
  o.total_amount,
  o.shipping_method,
  o.carrier,
  o.tracking_number,
  o.shipped_at,
  o.delivered_at,
  o.hours_to_ship,
  o.days_to_deliver,
  o.ship_city,
  o.ship_state,
  o.ship_country,
  o.ship_postal_code,
  o.is_gift,
  o.is_first_order,
  o.sales_rep,
  o.notes,
  o.updated_at
from {{ ref('int_orders') }} as o
left join {{ ref('dim_customers') }} as c
  on c.customer_id = o.customer_id
  and o.order_date >= c.effective_date
  and o.order_date < c.expiry_date
