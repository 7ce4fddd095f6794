{% materialization incremental, adapter='ingot', supported_languages=['sql', 'python'] %}
  {%- set existing_relation = load_cached_relation(this) -%}
  {%- set target_relation = this.incorporate(type='table') -%}
  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}
  {#- dbt lets a materialization itself run Python, and no macro that it calls. -#}
  {%- set code = compiled_code -%}
  {%- set built = none -%}
  {%- if model['language'] == 'python' -%}
    {%- set built = make_temp_relation(target_relation, '__dbt_py') -%}
    {%- call statement('python', language='python') -%}
      {{ py_write_table(temporary=False, relation=built, compiled_code=compiled_code) }}
    {%- endcall -%}
    {%- set code = 'select * from ' ~ built -%}
  {%- endif -%}
  {%- if existing_relation is none or existing_relation.is_view or should_full_refresh() -%}
    {% do ingot_replace(target_relation, code) %}
  {%- else -%}
    {% do ingot_increment(target_relation, code) %}
  {%- endif -%}
  {%- if built is not none -%}{% do run_query('drop table ' ~ built) %}{%- endif -%}
  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {{ run_hooks(post_hooks, inside_transaction=False) }}
  {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{#- Appends the model's rows, or runs dbt-duckdb's own statements for the strategy on a copy of the table and
    publishes the copy: readers of the branch never see a half-merged table. -#}
{% macro ingot_increment(target_relation, code) %}
  {%- set strategy = config.get('incremental_strategy') or 'default' -%}
  {%- set strategy_macro = adapter.get_incremental_strategy_macro(context, strategy) -%}
  {%- set on_schema_change = incremental_validate_on_schema_change(config.get('on_schema_change'), default='ignore') -%}
  {%- set unique_key = config.get('unique_key') -%}
  {%- set delta = ingot_delta(target_relation, code) -%}
  {%- set changed = adapter.count_rows(delta) -%}
  {%- set same = on_schema_change == 'ignore' or not check_for_schema_changes(delta, target_relation)['schema_changed'] -%}
  {%- set window = ingot_batch_window() if strategy == 'microbatch' and not unique_key else none -%}
  {%- set additive = strategy == 'append'
        or (strategy in ['default', 'delete+insert', 'delete_insert'] and not unique_key)
        or (window is not none and adapter.count_rows(target_relation, window) == 0) -%}

  {%- if same and changed == 0 and (additive or strategy in ['default', 'delete+insert', 'delete_insert']
        or (strategy == 'merge' and not config.get('merge_clauses'))) -%}
    {% do store_result('main', response=adapter.unchanged()) %}
  {%- elif same and additive -%}
    {%- set columns = adapter.get_columns_in_relation(target_relation) -%}
    {%- set query = 'select ' ~ get_quoted_csv(columns | map(attribute='name')) ~ ' from ' ~ delta
          ~ (' where ' ~ window if window is not none else '') -%}
    {% do store_result('main', response=adapter.publish(target_relation, query, model, mode='append')) %}
  {%- else -%}
    {%- set work = make_temp_relation(target_relation, '__dbt_work') -%}
    {% do run_query('create temporary table ' ~ work ~ ' as select * from ' ~ target_relation) %}
    {%- set columns = process_schema_changes(on_schema_change, delta, work) -%}
    {%- if not columns -%}{%- set columns = adapter.get_columns_in_relation(work) -%}{%- endif -%}
    {% call statement('merge') %}
      {{ strategy_macro({
        'target_relation': work, 'temp_relation': delta, 'unique_key': unique_key, 'dest_columns': columns,
        'incremental_predicates': config.get('predicates') or config.get('incremental_predicates')
      }) }}
    {% endcall %}
    {% do store_result('main', response=adapter.publish(target_relation, 'select * from ' ~ work, model, rows=changed)) %}
    {% do run_query('drop table ' ~ work) %}
  {%- endif -%}
  {% do run_query('drop table ' ~ delta) %}
{% endmacro %}

{#- The condition of a microbatch on its event time, as dbt-duckdb writes it; none without a batch. -#}
{% macro ingot_batch_window() %}
  {%- set batch = model.get('batch') -%}
  {%- set time = config.get('event_time') -%}
  {%- if not batch or not time -%}{{ return(none) }}{%- endif -%}
  {{ return(time ~ " >= '" ~ batch.get('event_time_start') ~ "' and " ~ time ~ " < '" ~ batch.get('event_time_end') ~ "'") }}
{% endmacro %}

{#- A temporary table with the rows that this run's code gives. -#}
{% macro ingot_delta(target_relation, code) %}
  {%- set delta = make_temp_relation(target_relation, '__dbt_delta') -%}
  {%- set header = config.get('sql_header', none) -%}
  {%- if header -%}{% do run_query(header) %}{%- endif -%}
  {%- set contract = config.get('contract') -%}
  {%- if contract and contract.enforced -%}{% do get_assert_columns_equivalent(code) %}{%- endif -%}
  {% do adapter.check_query(code) %}
  {% do run_query('create temporary table ' ~ delta ~ ' as (' ~ code ~ '\n)') %}
  {{ return(delta) }}
{% endmacro %}
