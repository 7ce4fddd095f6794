{#- What the bronze layer does to a column: types that are the same whatever the file's types were guessed as. -#}
{% macro money(column) -%} cast({{ column }} as decimal(12, 2)) {%- endmacro %}

{% macro text(column) -%} nullif(trim(cast({{ column }} as varchar)), '') {%- endmacro %}

{% macro moment(column) -%} cast({{ column }} as timestamp) {%- endmacro %}

{#- The key of a day in dim_time: 20260131. -#}
{% macro date_key(column) -%} cast(strftime({{ column }}, '%Y%m%d') as integer) {%- endmacro %}
