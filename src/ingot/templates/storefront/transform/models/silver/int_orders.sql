-- Orders with what their status means and how long they took.
select
  o.*,
  s.stage as status_stage,
  s.is_revenue,
  cast(o.order_date as date) as order_day,
  date_diff('second', o.order_date, o.shipped_at) / 3600.0 as hours_to_ship,
  date_diff('second', o.order_date, o.delivered_at) / 86400.0 as days_to_deliver
from {{ ref('stg_orders') }} as o
join {{ ref('order_statuses') }} as s on s.order_status = o.order_status
