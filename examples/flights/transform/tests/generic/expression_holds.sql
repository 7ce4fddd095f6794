{#- Rows of a model for which an expression is not true. -#}
{% test expression_holds(model, expression, column_name=none) %}
select *
from {{ model }}
where not coalesce(({{ expression }}), false)
{% endtest %}
