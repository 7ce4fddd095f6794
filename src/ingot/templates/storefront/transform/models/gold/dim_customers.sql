-- Versions of customers; the present version also has what changes too often to keep a history of.
select
  {{ version_columns('v.customer_id') }},
  v.customer_id, v.first_name, v.last_name, v.first_name || ' ' || v.last_name as full_name,
  v.email, v.phone, v.company, v.job_title, v.segment, v.gender, v.birth_date, v.signup_date,
  v.acquisition_channel, v.acquisition_campaign_id, v.street, v.city, v.state, v.postal_code, v.country,
  v.latitude, v.longitude, v.language, v.currency,
  c.lifecycle_stage, c.lead_score, c.is_active,
  v.marketing_opt_in, v.loyalty_tier, v.preferred_payment_method,
  c.last_login_at, c.updated_at
from {{ ref('customer_versions') }} as v
left join {{ ref('stg_customers') }} as c on c.customer_id = v.customer_id
