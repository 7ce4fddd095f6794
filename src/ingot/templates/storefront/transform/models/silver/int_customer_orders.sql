-- What a customer's orders come to; only orders that count as revenue.
select
  customer_id,
  count(*) as orders,
  sum(total_amount) as revenue,
  sum(discount_amount) as discount,
  min(order_date) as first_order_at,
  max(order_date) as last_order_at,
  case
    when count(*) > 1 then date_diff('day', min(order_date), max(order_date)) / (count(*) - 1.0)
  end as days_between_orders
from {{ ref('int_orders') }}
where is_revenue
group by customer_id
