{{ config(materialized='incremental', incremental_strategy='append', on_schema_change='fail') }}
select order_id, {% if var('extra_column') %}'new' as note{% else %}amount{% endif %}
from {{ source('raw', 'orders') }}
