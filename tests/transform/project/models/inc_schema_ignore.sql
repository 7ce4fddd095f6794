{{ config(materialized='incremental', incremental_strategy='append', on_schema_change='ignore') }}
select order_id, amount {% if var('extra_column') %}, 'new' as note{% endif %}
from {{ source('raw', 'orders') }}
