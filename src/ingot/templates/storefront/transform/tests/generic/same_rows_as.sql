{#- Keys that one of two models has and the other has not: nothing is lost or made up between two layers. -#}
{% test same_rows_as(model, to, column_name) %}
select coalesce(here.{{ column_name }}, there.{{ column_name }}) as {{ column_name }},
       case when here.{{ column_name }} is null then 'missing' else 'extra' end as problem
from {{ model }} as here
full join {{ to }} as there on here.{{ column_name }} = there.{{ column_name }}
where here.{{ column_name }} is null or there.{{ column_name }} is null
{% endtest %}
