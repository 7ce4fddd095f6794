-- The marts and the facts agree on revenue.
with totals as (
  select
    (select sum(total_amount) from {{ ref('fact_orders') }} where is_revenue) as facts,
    (select sum(revenue) from {{ ref('daily_sales') }}) as by_day,
    (select sum(revenue) from {{ ref('monthly_sales') }}) as by_month,
    (select sum(revenue) from {{ ref('customer_lifetime_value') }}) as by_customer
)

select *
from totals
where facts is distinct from by_day or facts is distinct from by_month or facts is distinct from by_customer
