-- One row a campaign.
select
  campaign_id,
  name as campaign_name,
  channel,
  objective,
  target_segment,
  start_date,
  end_date,
  {{ date_key('start_date') }} as start_date_key,
  date_diff('day', start_date, end_date) + 1 as days_planned,
  budget,
  spend,
  spend / nullif(budget, 0) as budget_used
from {{ ref('stg_campaigns') }}
