select * from {{ ref('fact_orders') }} where customer_id = 0
