{% materialization seed, adapter='ingot' %}
  {%- set target_relation = this.incorporate(type='table') -%}
  {%- set rows = load_agate_table() -%}
  {% do store_result('agate_table', response='OK', agate_table=rows) %}
  {%- set types = model['config'].get('column_types') or {} -%}
  {%- set loading = make_temp_relation(target_relation, '__dbt_seed') -%}
  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}
  {%- set columns = [] -%}
  {%- for name in rows.column_names -%}
    {% do columns.append(adapter.quote(name) ~ ' ' ~ types.get(name, adapter.convert_type(rows, loop.index0))) %}
  {%- endfor -%}
  {% do run_query('create temporary table ' ~ loading ~ ' (' ~ columns | join(', ') ~ ')') %}
  {%- set file = adapter.escape_sql_string(adapter.get_seed_file_path(model)) -%}
  {%- set delimiter = adapter.escape_sql_string(config.get('delimiter', ',')) -%}
  {% do run_query("copy " ~ loading ~ " from '" ~ file ~ "' (format csv, header true, delimiter '" ~ delimiter ~ "')") %}
  {% do store_result('main', response=adapter.publish(target_relation, 'select * from ' ~ loading, model)) %}
  {% do run_query('drop table ' ~ loading) %}
  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {{ run_hooks(post_hooks, inside_transaction=False) }}
  {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
