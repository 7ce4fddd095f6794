{#- A custom schema is the schema: branches of the lake take the place of a schema for each developer. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
  {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
