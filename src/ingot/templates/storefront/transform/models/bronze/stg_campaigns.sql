select
  cast(campaign_id as bigint) as campaign_id,
  {{ text('name') }} as name,
  {{ text('channel') }} as channel,
  cast(start_date as date) as start_date,
  cast(end_date as date) as end_date,
  {{ money('budget') }} as budget,
  {{ money('spend') }} as spend,
  {{ text('target_segment') }} as target_segment,
  {{ text('objective') }} as objective
from {{ source('raw', 'campaigns') }}
