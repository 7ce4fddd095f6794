{{ config(
    materialized='table',
    partition_by=['month(ordered_at)'],
    sort_by='order_id',
    persist_docs={'relation': true},
    table_properties={'owner': 'finance'},
    pre_hook="create or replace temp table hooked as select 10 as fee",
) }}
select p.order_id, p.customer_id, p.amount, p.ordered_at, c.country_name, p.loud, hooked.fee
from {{ ref('paid') }} p
left join {{ ref('countries') }} c on c.code = 'at'
cross join hooked
