{{ config(materialized='table', contract={'enforced': true}) }}
select amount::double as amount, order_id::bigint as order_id from {{ source('raw', 'orders') }}
