-- One row a customer: what they have brought, what a year of them is worth, and whether they are leaving.
with today as (
  select max(order_date) as as_of from {{ ref('fact_orders') }}
),

usual as (  -- how long customers of a segment usually wait, for those who have bought once
  select c.segment, median(o.days_between_orders) as days_between_orders
  from {{ ref('int_customer_orders') }} as o
  join {{ ref('stg_customers') }} as c on c.customer_id = o.customer_id
  group by c.segment
),

profit as (
  select customer_id, sum(line_profit) as gross_profit
  from {{ ref('fact_order_items') }}
  where is_sale
  group by customer_id
),

measured as (
  select
    c.customer_id,
    c.customer_key,
    c.full_name,
    c.segment,
    c.country,
    c.acquisition_channel,
    c.signup_date,
    coalesce(o.orders, 0) as orders,
    coalesce(o.revenue, 0) as revenue,
    coalesce(p.gross_profit, 0) as gross_profit,
    o.revenue / o.orders as avg_order_value,
    o.first_order_at,
    o.last_order_at,
    date_diff('day', o.last_order_at, t.as_of) as days_since_last_order,
    greatest(coalesce(o.days_between_orders, u.days_between_orders, 90), 14) as expected_gap_days,
    greatest(date_diff('day', o.first_order_at, t.as_of), 90) as days_known
  from {{ ref('dim_customers') }} as c
  cross join today as t
  left join {{ ref('int_customer_orders') }} as o on o.customer_id = c.customer_id
  left join usual as u on u.segment = c.segment
  left join profit as p on p.customer_id = c.customer_id
  where c.is_current
),

judged as (
  select
    *,
    case
      when orders = 0 then 'never bought'
      when days_since_last_order <= 1.5 * expected_gap_days then 'low'
      when days_since_last_order <= 3 * expected_gap_days then 'medium'
      else 'high'
    end as churn_risk
  from measured
)

select
  *,
  cast(
    revenue * 365.0 / days_known
    * case churn_risk when 'low' then 0.9 when 'medium' then 0.5 when 'high' then 0.1 else 0 end
    as decimal(14, 2)
  ) as expected_revenue_12m,
  case when orders > 0 then ntile(5) over (partition by orders > 0 order by revenue) end as value_quintile
from judged
