{{ config(
    materialized='incremental', incremental_strategy='microbatch',
    event_time='ordered_at', batch_size='month', begin='2026-01-01', lookback=1,
) }}
select order_id, amount, ordered_at from {{ ref('orders_in_time') }}
