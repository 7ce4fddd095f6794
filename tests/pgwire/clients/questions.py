"""SQL that means the same over our cubes and over plain tables: measures appear in the aggregate that they have.

Every statement says its order, so answers are compared row by row.
"""

QUESTIONS = {
    "rows": "SELECT order_id, order_number, order_date, total_amount, is_gift, notes FROM orders ORDER BY order_id LIMIT 50",
    "all columns": "SELECT * FROM campaigns ORDER BY campaign_id",
    "count": "SELECT COUNT(*) FROM orders",
    "sum": "SELECT SUM(total_revenue) AS revenue, COUNT(*) AS n FROM orders",
    "by status": "SELECT order_status, COUNT(*) AS n, SUM(total_revenue) AS revenue FROM orders GROUP BY 1 ORDER BY 1",
    "by month": "SELECT date_trunc('month', order_date) AS month, SUM(total_revenue) AS revenue FROM orders "
    "GROUP BY 1 ORDER BY 1",
    "by quarter of year": "SELECT EXTRACT(year FROM order_date) AS y, EXTRACT(quarter FROM order_date) AS q, COUNT(*) AS n "
    "FROM orders GROUP BY 1, 2 ORDER BY 1, 2",
    "filter": "SELECT channel, SUM(total_revenue) AS revenue FROM orders WHERE order_status IN ('completed', 'shipped') "
    "AND order_date >= '2026-01-01' AND total_amount > 100 GROUP BY channel ORDER BY revenue DESC, channel",
    "having": "SELECT ship_country AS country, COUNT(*) AS n FROM orders GROUP BY ship_country HAVING COUNT(*) > 100 "
    "ORDER BY n DESC, country LIMIT 5",
    "distinct": "SELECT DISTINCT payment_method FROM orders ORDER BY payment_method",
    "like": "SELECT customer_id, last_name FROM customers WHERE last_name ILIKE 'a%' AND email LIKE '%@%' ORDER BY 1 LIMIT 20",
    "nulls": "SELECT coupon_code, COUNT(*) AS n FROM orders GROUP BY 1 ORDER BY 1 NULLS FIRST LIMIT 5",
    "null order": "SELECT coupon_code, COUNT(*) AS n FROM orders GROUP BY coupon_code ORDER BY coupon_code DESC LIMIT 5",
    "case": "SELECT CASE WHEN total_amount >= 500 THEN 'large' ELSE 'small' END AS size, COUNT(*) AS n FROM orders "
    "GROUP BY 1 ORDER BY 1",
    "casts": "SELECT order_id::text AS id, order_date::date AS day, total_amount::int AS whole, "
    "CAST(is_gift AS text) AS gift FROM orders ORDER BY order_id LIMIT 10",
    "division": "SELECT order_id / 7 AS d, order_id % 7 AS m, -7 / 2 AS n FROM orders ORDER BY order_id LIMIT 20",
    "boolean": "SELECT is_gift, COUNT(*) AS n FROM orders WHERE NOT is_first_order GROUP BY is_gift ORDER BY is_gift",
    "subquery": "SELECT status, n FROM (SELECT order_status AS status, COUNT(*) AS n FROM orders GROUP BY 1) t "
    "WHERE n > 50 ORDER BY n DESC",
    "cte": "WITH monthly AS (SELECT date_trunc('month', order_date) AS month, SUM(total_revenue) AS revenue FROM orders "
    "GROUP BY 1) SELECT month, revenue, SUM(revenue) OVER (ORDER BY month) AS running FROM monthly ORDER BY month",
    "window": "SELECT order_status, COUNT(*) AS n, RANK() OVER (ORDER BY COUNT(*) DESC) AS place FROM orders "
    "GROUP BY order_status ORDER BY place, order_status",
    "union": "SELECT 'orders' AS what, COUNT(*) AS n FROM orders UNION ALL SELECT 'customers', COUNT(*) FROM customers ORDER BY 1",
    "view": "SELECT products_category AS category, SUM(order_items_total_amount) AS amount, SUM(order_items_gross_profit) AS profit "
    "FROM sales GROUP BY products_category ORDER BY products_category",
    "quoted": 'SELECT "orders"."order_status" AS "Order Status", COUNT(*) AS "N" FROM "public"."orders" "orders" '
    'GROUP BY "orders"."order_status" ORDER BY "orders"."order_status"',
    "no rows": "SELECT order_id, order_status FROM orders WHERE order_id < 0",
    "constants": "SELECT 1 AS i, 'x' AS t, 1.50 AS n, NULL AS nothing, true AS b, DATE '2026-02-03' AS d",
    "functions": "SELECT lower('ÄB') AS l, substring('storefront' FROM 2 FOR 3) AS s, to_char(TIMESTAMP '2026-02-03 04:05:06', "
    "'YYYY-MM-DD HH24:MI') AS c, round(2.5) AS r, ARRAY[1, 2] AS a",
}  # fmt: skip
"""By name."""

TYPED = "SELECT order_id, order_number, order_date, total_amount, is_gift, notes, shipped_at, ship_country FROM orders ORDER BY order_id LIMIT 300"
"""Rows of several types with nulls."""

REFUSED = {
    "no table": ("SELECT * FROM nothing_here", "42P01"),
    "no column": ("SELECT nothing_here FROM orders", "42703"),
    "syntax": ("SELEC 1", "42601"),
    "write": ("INSERT INTO orders (order_id) VALUES (1)", "25006"),
    "create": ("CREATE TABLE t (i int)", "25006"),
    "division by zero": ("SELECT 1 / 0", "22012"),
    "bad number": ("SELECT 'x'::int", "22P02"),
}
"""What fails, and how: PostgreSQL says the same in a transaction that is read only."""
