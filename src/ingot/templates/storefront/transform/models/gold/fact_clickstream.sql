{{ config(
    materialized='incremental',
    unique_key='event_id',
    incremental_strategy='delete+insert',
    on_schema_change='fail',
    sort_by=['event_time']
) }}
-- One row an event. Later runs read the last days again, for events that arrive late. Where the file was replaced as
-- a whole, build it anew: ingot run --full-refresh
select
  event_id,
  session_id,
  customer_id,
  product_id,
  campaign_id,
  {{ date_key('event_time') }} as date_key,
  event_time,
  event_type,
  page_url,
  referrer,
  device,
  country
from {{ ref('stg_clickstream') }}
{% if is_incremental() %}
where event_time >= (select max(event_time) - interval {{ var('late_days', 3) }} day from {{ this }})
{% endif %}
