{% materialization table, adapter='ingot', supported_languages=['sql', 'python'] %}
  {%- set target_relation = this.incorporate(type='table') -%}
  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}
  {#- dbt lets a materialization itself run Python, and no macro that it calls. -#}
  {%- if model['language'] == 'python' -%}
    {%- set built = make_temp_relation(target_relation, '__dbt_py') -%}
    {%- call statement('python', language='python') -%}
      {{ py_write_table(temporary=False, relation=built, compiled_code=compiled_code) }}
    {%- endcall -%}
    {% do ingot_replace(target_relation, 'select * from ' ~ built) %}
    {% do run_query('drop table ' ~ built) %}
  {%- else -%}
    {% do ingot_replace(target_relation, compiled_code) %}
  {%- endif -%}
  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {{ run_hooks(post_hooks, inside_transaction=False) }}
  {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{#- The whole table from a SELECT, as the statement that dbt records as 'main'. -#}
{% macro ingot_replace(target_relation, code) %}
  {% do store_result('main', response=adapter.publish(
      target_relation, ingot_contract_query(target_relation, code), model)) %}
{% endmacro %}

{#- The model's SELECT; with an enforced contract, its columns are checked and put in the contract's order,
    and rows pass the constraints on their way through a temporary table. -#}
{% macro ingot_contract_query(target_relation, code) %}
  {%- set header = config.get('sql_header', none) -%}
  {%- if header -%}{% do run_query(header) %}{%- endif -%}
  {%- if not (config.get('contract') and config.get('contract').enforced) -%}
    {{ return(code) }}
  {%- endif -%}
  {% do get_assert_columns_equivalent(code) %}
  {%- if enforced_constraint_types() | reject('equalto', 'foreign_key') | list | length == 0 -%}
    {{ return(get_select_subquery(code)) }}
  {%- endif -%}
  {%- set checked = make_temp_relation(target_relation, '__dbt_contract') -%}
  {% do run_query('create temporary table ' ~ checked ~ get_table_columns_and_constraints()) %}
  {% do run_query('insert into ' ~ checked ~ ' ' ~ get_column_names() ~ ' ' ~ get_select_subquery(code)) %}
  {{ return('select * from ' ~ checked) }}
{% endmacro %}
