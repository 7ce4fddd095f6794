-- One row a month and segment; only orders that count as revenue. The segment is the customer's when the order was placed.
with sales as (
  select
    cast(date_trunc('month', o.order_date) as date) as month,
    c.segment,
    count(*) as orders,
    count(distinct o.customer_id) as customers,
    sum(o.total_amount) as revenue,
    sum(o.discount_amount) as discount
  from {{ ref('fact_orders') }} as o
  join {{ ref('dim_customers') }} as c on c.customer_key = o.customer_key
  where o.is_revenue
  group by 1, 2
)

select
  s.month,
  s.segment,
  s.orders,
  s.customers,
  s.revenue,
  s.discount,
  s.revenue / s.orders as avg_order_value,
  s.revenue / sum(s.revenue) over (partition by s.month) as share_of_month,
  s.revenue / nullif(before.revenue, 0) - 1 as change_to_previous_month,
  s.revenue / nullif(year_ago.revenue, 0) - 1 as change_to_previous_year
from sales as s
left join sales as before on before.segment = s.segment and before.month = s.month - interval 1 month
left join sales as year_ago on year_ago.segment = s.segment and year_ago.month = s.month - interval 1 year
