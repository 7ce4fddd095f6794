-- The fact table has exactly the rows of the file.
select facts, loaded
from (
  select
    (select count(*) from {{ ref('fact_flights') }}) as facts,
    (select count(*) from {{ source('raw', 'flights') }}) as loaded
)
where facts <> loaded
