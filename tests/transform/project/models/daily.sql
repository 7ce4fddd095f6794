{{ config(materialized='table', schema='marts') }}
select ordered_at::date as day, sum(amount) as revenue, '{{ target.type }}' as dialect, '{{ target.name }}' as target
from {{ ref('fact_orders') }}
group by all
