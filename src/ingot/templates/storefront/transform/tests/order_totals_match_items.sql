-- An order's amounts are the sums of its items, to the cent.
select o.order_id, o.subtotal, sum(i.quantity * i.unit_price) as items_subtotal
from {{ ref('fact_orders') }} as o
left join {{ ref('fact_order_items') }} as i on i.order_id = o.order_id
group by o.order_id, o.subtotal, o.discount_amount, o.tax_amount
having o.subtotal is distinct from sum(i.quantity * i.unit_price)
  or o.discount_amount is distinct from sum(i.discount_amount)
  or o.tax_amount is distinct from sum(i.tax_amount)
