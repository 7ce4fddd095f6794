-- One row a campaign: the orders that name it (last touch), the sessions it brought, and what each cost.
with orders as (
  select
    campaign_id,
    count(*) as orders,
    sum(total_amount) as revenue,
    sum(discount_amount) as discount,
    count(*) filter (where is_first_order) as new_customers
  from {{ ref('fact_orders') }}
  where is_revenue and campaign_id is not null
  group by campaign_id
),

sessions as (
  select campaign_id, count(*) as sessions, count(*) filter (where has_purchase) as sessions_with_order
  from {{ ref('int_sessions') }}
  where campaign_id is not null
  group by campaign_id
),

profit as (
  select campaign_id, sum(line_profit) as gross_profit
  from {{ ref('fact_order_items') }}
  where is_sale and campaign_id is not null
  group by campaign_id
)

select
  c.campaign_id,
  c.campaign_name,
  c.channel,
  c.objective,
  c.target_segment,
  c.start_date,
  c.end_date,
  c.spend,
  coalesce(s.sessions, 0) as sessions,
  coalesce(s.sessions_with_order, 0) as sessions_with_order,
  coalesce(o.orders, 0) as orders,
  coalesce(o.new_customers, 0) as new_customers,
  coalesce(o.revenue, 0) as revenue,
  coalesce(o.discount, 0) as discount,
  coalesce(p.gross_profit, 0) as gross_profit,
  o.revenue / nullif(c.spend, 0) as return_on_spend,
  c.spend / nullif(o.new_customers, 0) as cost_of_new_customer,
  coalesce(p.gross_profit, 0) - c.spend as contribution
from {{ ref('dim_marketing_campaigns') }} as c
left join orders as o on o.campaign_id = c.campaign_id
left join sessions as s on s.campaign_id = c.campaign_id
left join profit as p on p.campaign_id = c.campaign_id
