{#- dbt's snapshot on a copy of the table, which is published when it is complete; the statements are dbt's. -#}
{% materialization snapshot, adapter='ingot' %}
  {%- set unique_key = config.get('unique_key') -%}
  {% set exists, target_relation = get_or_create_relation(
      database=model.database, schema=model.schema, identifier=model.get('alias', model.get('name')), type='table') %}
  {%- if not target_relation.is_table -%}
    {% do exceptions.relation_wrong_type(target_relation, 'table') %}
  {%- endif -%}
  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}

  {%- set strategy = strategy_dispatch(config.get('strategy'))(model, 'snapshotted_data', 'source_data', model['config'], exists) -%}
  {% do adapter.check_query(model['compiled_code']) %}
  {%- if not exists -%}
    {% do store_result('main', response=adapter.publish(
        target_relation, build_snapshot_table(strategy, model['compiled_code']), model)) %}
  {%- else -%}
    {% do ingot_snapshot_again(strategy, target_relation, unique_key) %}
  {%- endif -%}

  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {{ run_hooks(post_hooks, inside_transaction=False) }}
  {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{% macro ingot_snapshot_again(strategy, target_relation, unique_key) %}
  {%- set names = config.get('snapshot_table_column_names') or get_snapshot_table_column_names() -%}
  {% do adapter.assert_valid_snapshot_target_given_strategy(target_relation, names, strategy) %}
  {%- set staging = build_snapshot_staging_table(strategy, sql, target_relation) -%}
  {%- set helpers = ['dbt_change_type', 'DBT_CHANGE_TYPE', 'dbt_unique_key', 'DBT_UNIQUE_KEY'] -%}
  {%- if unique_key | is_list -%}
    {%- for key in strategy.unique_key -%}
      {% do helpers.append('dbt_unique_key_' ~ loop.index) %}
      {% do helpers.append('DBT_UNIQUE_KEY_' ~ loop.index) %}
    {%- endfor -%}
  {%- endif -%}
  {%- set missing = adapter.get_missing_columns(staging, target_relation) | rejectattr('name', 'in', helpers) | list -%}
  {%- set changed = adapter.count_rows(staging) -%}

  {%- if changed == 0 and not missing -%}
    {% do store_result('main', response=adapter.unchanged()) %}
  {%- else -%}
    {%- set work = make_temp_relation(target_relation, '__dbt_work') -%}
    {% do run_query('create temporary table ' ~ work ~ ' as select * from ' ~ target_relation) %}
    {% do create_columns(work, missing) %}
    {%- set columns = [] -%}
    {%- for column in adapter.get_columns_in_relation(staging) | rejectattr('name', 'in', helpers) -%}
      {% do columns.append(adapter.quote(column.name)) %}
    {%- endfor -%}
    {% call statement('merge') %}
      {{ snapshot_merge_sql(target=work, source=staging, insert_cols=columns) }}
    {% endcall %}
    {% do store_result('main', response=adapter.publish(target_relation, 'select * from ' ~ work, model, rows=changed)) %}
    {% do run_query('drop table ' ~ work) %}
  {%- endif -%}
  {% do post_snapshot(staging) %}
{% endmacro %}
