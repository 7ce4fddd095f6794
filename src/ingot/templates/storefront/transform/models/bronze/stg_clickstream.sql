select
  cast(event_id as bigint) as event_id,
  {{ text('session_id') }} as session_id,
  cast(customer_id as bigint) as customer_id,
  {{ moment('event_time') }} as event_time,
  {{ text('event_type') }} as event_type,
  {{ text('page_url') }} as page_url,
  cast(product_id as bigint) as product_id,
  {{ text('referrer') }} as referrer,
  cast(campaign_id as bigint) as campaign_id,
  {{ text('device') }} as device,
  {{ text('country') }} as country
from {{ source('raw', 'clickstream') }}
