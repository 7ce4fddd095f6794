{#- Where a test stores the rows that break it: in the lake, as everything that dbt makes. -#}
{% macro ingot__get_create_sql(relation, sql) %}
  {%- if relation.is_view -%}
    {% do adapter.publish_view(relation, sql, model) %}
  {%- else -%}
    {% do adapter.publish(relation, sql, model) %}
  {%- endif -%}
  select 1
{% endmacro %}
