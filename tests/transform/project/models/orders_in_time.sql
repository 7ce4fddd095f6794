{{ config(materialized='view', event_time='ordered_at', schema='silver') }}
select * from {{ source('raw', 'orders') }}
