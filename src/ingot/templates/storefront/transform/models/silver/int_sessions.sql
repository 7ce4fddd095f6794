-- One row a visitor's session.
select
  session_id,
  min(event_time) as started_at,
  max(event_time) as ended_at,
  count(*) as events,
  max(customer_id) as customer_id,
  max(campaign_id) as campaign_id,
  min(device) as device,
  min(country) as country,
  count(*) filter (where event_type = 'product_view') as product_views,
  bool_or(event_type = 'add_to_cart') as has_cart,
  bool_or(event_type = 'checkout') as has_checkout,
  bool_or(event_type = 'purchase') as has_purchase
from {{ ref('stg_clickstream') }}
group by session_id
