-- Exactly the oldest order of a customer is marked as the first.
select order_id, customer_id, order_date, is_first_order
from {{ ref('stg_orders') }}
qualify is_first_order <> (row_number() over (partition by customer_id order by order_date, order_id) = 1)
