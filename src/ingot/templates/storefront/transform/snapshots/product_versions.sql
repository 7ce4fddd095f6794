{% snapshot product_versions %}
{#- Attributes whose history matters; stock and rating are joined to the current version in gold. -#}
{% set watched = [
  'sku', 'product_name', 'category', 'subcategory', 'brand', 'supplier', 'price', 'cost', 'weight_kg', 'color', 'size',
  'launch_date', 'discontinued_at', 'is_active', 'reorder_level', 'reorder_quantity'
] %}
{{ config(unique_key='product_id', strategy='check', check_cols=watched) }}
select product_id, {{ watched | join(', ') }}
from {{ ref('stg_products') }}
{% endsnapshot %}
