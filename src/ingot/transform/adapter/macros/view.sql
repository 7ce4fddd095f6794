{% materialization view, adapter='ingot' %}
  {%- set target_relation = this.incorporate(type='view') -%}
  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}
  {%- set contract = config.get('contract') -%}
  {%- if contract and contract.enforced -%}{% do get_assert_columns_equivalent(sql) %}{%- endif -%}
  {% do store_result('main', response=adapter.publish_view(target_relation, sql, model)) %}
  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {{ run_hooks(post_hooks, inside_transaction=False) }}
  {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
