-- One row a product on sale within the last year: how often its stock was sold, and how long the present stock lasts.
with weeks as (  -- only those in which the product was sold
  select w.*, max(w.snapshot_date) over () as as_of
  from {{ ref('int_stock_weeks') }} as w
  join {{ ref('stg_products') }} as p on p.product_id = w.product_id
  where w.snapshot_date >= p.launch_date and w.snapshot_date < coalesce(p.discontinued_at, date '9999-12-31')
),

stock as (
  select
    product_id,
    max(as_of) as as_of,
    avg(on_hand) as avg_on_hand,
    sum(on_hand) filter (where snapshot_date = as_of) as on_hand,
    sum(incoming) filter (where snapshot_date = as_of) as incoming,
    count(*) filter (where empty_warehouses > 0) as weeks_with_empty_warehouse
  from weeks
  where snapshot_date > as_of - interval 365 day
  group by product_id
),

sold as (
  select
    s.product_id,
    sum(i.quantity) as units,
    sum(i.line_cost) as cost_of_goods
  from {{ ref('fact_order_items') }} as i
  join stock as s on s.product_id = i.product_id
  where i.is_sale and i.order_date > s.as_of - interval 365 day
  group by s.product_id
)

select
  p.product_id,
  p.sku,
  p.product_name,
  p.category,
  coalesce(s.on_hand, 0) as on_hand,
  coalesce(s.incoming, 0) as incoming,
  p.reorder_level,
  p.is_below_reorder,
  s.avg_on_hand,
  s.weeks_with_empty_warehouse,
  coalesce(x.units, 0) as units_12m,
  coalesce(x.cost_of_goods, 0) as cost_of_goods_12m,
  cast(s.avg_on_hand * p.cost as decimal(14, 2)) as avg_stock_value,
  coalesce(x.cost_of_goods, 0) / nullif(s.avg_on_hand * p.cost, 0) as turnover,
  s.on_hand / nullif(x.units / 365.0, 0) as days_of_stock
from {{ ref('dim_products') }} as p
join stock as s on s.product_id = p.product_id
left join sold as x on x.product_id = p.product_id
where p.is_current
