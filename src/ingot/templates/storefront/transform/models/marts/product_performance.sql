-- One row a product: what it sells, earns and gets back.
with today as (
  select max(order_date) as as_of from {{ ref('fact_orders') }}
),

sold as (
  select
    i.product_id,
    count(distinct i.order_id) filter (where i.is_sale) as orders,
    sum(i.quantity) filter (where i.is_sale) as units,
    sum(i.quantity) filter (where i.is_sale and i.order_date > t.as_of - interval 90 day) as units_90d,
    sum(i.line_total) filter (where i.is_sale) as revenue,
    sum(i.line_cost) filter (where i.is_sale) as cost,
    sum(i.line_profit) filter (where i.is_sale) as gross_profit,
    avg(cast(i.is_returned as integer)) filter (where i.order_status in ('completed', 'returned')) as return_rate,
    max(i.order_date) as last_ordered_at
  from {{ ref('fact_order_items') }} as i
  cross join today as t
  group by i.product_id
)

select
  p.product_id,
  p.sku,
  p.product_name,
  p.category,
  p.subcategory,
  p.brand,
  p.price,
  p.is_active,
  p.rating,
  coalesce(s.orders, 0) as orders,
  coalesce(s.units, 0) as units,
  coalesce(s.units_90d, 0) as units_90d,
  coalesce(s.revenue, 0) as revenue,
  coalesce(s.cost, 0) as cost,
  coalesce(s.gross_profit, 0) as gross_profit,
  s.gross_profit / nullif(s.revenue, 0) as margin,
  s.return_rate,
  s.last_ordered_at,
  rank() over (partition by p.category order by coalesce(s.revenue, 0) desc) as rank_in_category
from {{ ref('dim_products') }} as p
left join sold as s on s.product_id = p.product_id
where p.is_current
