{#- The columns that make a snapshot's rows versions of a dimension (slowly changing, type 2).

    The first version holds from the beginning of time, so that facts older than the first run find it; each
    later one from the moment the change was seen. -#}
{% macro version_columns(key) %}
    dbt_scd_id as {{ key.split('.')[-1].replace('_id', '_key') }},
    case
      when row_number() over (partition by {{ key }} order by dbt_valid_from) = 1 then timestamp '1900-01-01 00:00:00'
      else cast(dbt_valid_from as timestamp)
    end as effective_date,
    coalesce(cast(dbt_valid_to as timestamp), timestamp '9999-12-31 00:00:00') as expiry_date,
    dbt_valid_to is null as is_current
{% endmacro %}
