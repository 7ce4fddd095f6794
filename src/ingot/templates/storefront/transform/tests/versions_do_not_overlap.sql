-- At any moment a customer or product has exactly one version: each begins where the one before ends.
with versions as (
  select 'customer' as kind, customer_id as id, effective_date, expiry_date from {{ ref('dim_customers') }}
  union all
  select 'product', product_id, effective_date, expiry_date from {{ ref('dim_products') }}
),

sequence as (
  select *, lead(effective_date) over (partition by kind, id order by effective_date) as next_begins
  from versions
)

select *
from sequence
where expiry_date <= effective_date
  or coalesce(next_begins <> expiry_date, expiry_date <> timestamp '9999-12-31 00:00:00')
