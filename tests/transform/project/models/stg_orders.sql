{{ config(materialized='view', schema='silver') }}
select order_id, customer_id, amount, status, ordered_at, {{ shout('status') }} as loud
from {{ source('raw', 'orders') }}
