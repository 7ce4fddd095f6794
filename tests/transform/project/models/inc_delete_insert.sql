{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='order_id') }}
select order_id, amount, status, ordered_at
from {{ source('raw', 'orders') }}
{% if is_incremental() %}
where ordered_at > (select max(ordered_at) from {{ this }}) - interval 1 day
{% endif %}
