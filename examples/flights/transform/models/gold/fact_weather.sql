-- One row an hour and airport.
select *, airport || '-' || strftime(observed_at, '%Y%m%d%H') as weather_id
from {{ ref('stg_weather') }}
