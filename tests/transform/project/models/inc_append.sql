{{ config(materialized='incremental', incremental_strategy='append') }}
select order_id, amount, status, ordered_at
from {{ source('raw', 'orders') }}
{% if is_incremental() %}
where ordered_at > (select max(ordered_at) from {{ this }})
{% endif %}
