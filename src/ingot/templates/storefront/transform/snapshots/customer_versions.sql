{% snapshot customer_versions %}
{#- Attributes whose history matters; what changes with every visit is joined to the current version in gold. -#}
{% set watched = [
  'first_name', 'last_name', 'email', 'phone', 'company', 'job_title', 'segment', 'gender', 'birth_date', 'signup_date',
  'acquisition_channel', 'acquisition_campaign_id', 'street', 'city', 'state', 'postal_code', 'country', 'latitude',
  'longitude', 'language', 'currency', 'loyalty_tier', 'preferred_payment_method', 'marketing_opt_in'
] %}
{{ config(unique_key='customer_id', strategy='check', check_cols=watched) }}
select customer_id, {{ watched | join(', ') }}
from {{ ref('stg_customers') }}
{% endsnapshot %}
