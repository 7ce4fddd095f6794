{#- A custom schema is the schema, as the lake has no per-developer databases: branches do that.
    A project that defines generate_schema_name itself is asked instead of this. -#}
{% macro ingot__generate_schema_name(custom_schema_name, node) -%}
  {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}

{#- dbt shows one column of a row that breaks not_null, which is always NULL; people look for the row. -#}
{% macro ingot__test_not_null(model, column_name) %}
select *
from {{ model }}
where {{ column_name }} is null
{% endmacro %}
