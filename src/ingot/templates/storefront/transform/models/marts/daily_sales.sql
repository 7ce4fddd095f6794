-- One row a day, days without an order included; only orders that count as revenue.
with sales as (
  select
    date_key,
    count(*) as orders,
    sum(total_amount) as revenue,
    sum(discount_amount) as discount,
    sum(tax_amount) as tax,
    sum(shipping_amount) as shipping,
    count(distinct customer_id) as customers,
    count(*) filter (where is_first_order) as first_orders
  from {{ ref('fact_orders') }}
  where is_revenue
  group by date_key
)

select
  t.date_key,
  t.date_day,
  t.day_name,
  t.is_weekend,
  coalesce(s.orders, 0) as orders,
  coalesce(s.revenue, 0) as revenue,
  coalesce(s.discount, 0) as discount,
  coalesce(s.tax, 0) as tax,
  coalesce(s.shipping, 0) as shipping,
  coalesce(s.customers, 0) as customers,
  coalesce(s.first_orders, 0) as first_orders,
  s.revenue / s.orders as avg_order_value,
  avg(coalesce(s.revenue, 0)) over (order by t.date_day rows between 6 preceding and current row) as revenue_7d
from {{ ref('dim_time') }} as t
left join sales as s on s.date_key = t.date_key
where t.date_key between (select min(date_key) from sales) and (select max(date_key) from sales)
