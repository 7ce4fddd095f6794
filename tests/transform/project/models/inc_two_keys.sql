{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key=['customer_id', 'status']) }}
select customer_id, status, sum(amount) as amount
from {{ source('raw', 'orders') }}
{% if is_incremental() %}
where customer_id = 1
{% endif %}
group by all
