"""What BI tools and analysts write for two or three related tables, and plain SQL that means the same over raw tables."""

OLC = "gold.orders o LEFT JOIN gold.customers c ON o.customer_id = c.id"
OC = "gold.orders o JOIN gold.customers c ON o.customer_id = c.id"
CLO = "gold.customers c LEFT JOIN gold.orders o ON o.customer_id = c.id"
SCORE = "(SELECT sum(score) FROM gold.customers k WHERE k.city IS NOT DISTINCT FROM c.city)"

WRITTEN: list[tuple[str, str, str]] = [
    ("Tableau: a relationship", ('SELECT "customers"."city" AS "city", SUM("orders"."total") AS "sum:total:ok" FROM "public"."orders" "orders" '
     'LEFT JOIN "public"."customers" "customers" ON ("orders"."customer_id" = "customers"."id") GROUP BY 1'), f"SELECT city, sum(amount) FROM {OLC} GROUP BY 1"),
    ("Tableau: a relationship, all cities", ('SELECT "customers"."city" AS "city", SUM("orders"."total") AS "sum:total:ok" FROM "public"."customers" "customers" '
     'LEFT JOIN "public"."orders" "orders" ON ("customers"."id" = "orders"."customer_id") GROUP BY 1'), f"SELECT city, sum(amount) FROM {CLO} GROUP BY 1"),
    ("Tableau: measures of both sides, each computed apart",
     ('SELECT "t0"."city" AS "city", "t0"."sum_score" AS "s", "t1"."sum_total" AS "t" FROM (SELECT "customers"."city" AS "city", SUM("customers"."score") AS "sum_score" '
     'FROM "public"."customers" "customers" GROUP BY 1) "t0" LEFT JOIN (SELECT "customers"."city" AS "city", SUM("orders"."total") AS "sum_total" FROM "public"."orders" "orders" '
     'INNER JOIN "public"."customers" "customers" ON ("orders"."customer_id" = "customers"."id") GROUP BY 1) "t1" ON ("t0"."city" IS NOT DISTINCT FROM "t1"."city")'),
     f"SELECT city, {SCORE}, sum(amount) FROM {CLO} GROUP BY 1"),
    ("Tableau: a level of detail", ('SELECT "orders"."status" AS "status", SUM("orders"."total") AS "t", MAX("t0"."first") AS "f" FROM "public"."orders" "orders" '
     'INNER JOIN (SELECT "orders"."customer_id" AS "customer_id", MIN("orders"."amount") AS "first" FROM "public"."orders" "orders" GROUP BY 1) "t0" '
     'ON (("orders"."customer_id" = "t0"."customer_id") OR (("orders"."customer_id" IS NULL) AND ("t0"."customer_id" IS NULL))) GROUP BY 1 HAVING (COUNT(1) > 0)'),
     "SELECT status, sum(amount), max(first) FROM gold.orders JOIN (SELECT customer_id, min(amount) AS first FROM gold.orders GROUP BY 1) t ON t.customer_id IS NOT DISTINCT FROM orders.customer_id GROUP BY 1"),
    ("Tableau: the number of records", ('SELECT SUM(1) AS "n", COUNT(DISTINCT "customers"."id") AS "c" FROM "public"."orders" "orders" LEFT JOIN "public"."customers" "customers" '
     'ON ("orders"."customer_id" = "customers"."id") WHERE ("customers"."city" IN (\'Rome\', \'Oslo\')) HAVING (COUNT(1) > 0)'), f"SELECT count(*), count(DISTINCT c.id) FROM {OLC} WHERE city IN ('Rome', 'Oslo')"),
    ("Power BI: a merged table", ('select "_"."city" as "c9", sum("_"."total") as "a0" from (select "$Outer"."id", "$Outer"."total", "$Outer"."status", "$Inner"."city" from "public"."orders" as "$Outer" '
     'left outer join "public"."customers" as "$Inner" on ("$Outer"."customer_id" = "$Inner"."id")) as "_" where not "_"."status" is null group by "_"."city" limit 1000001'),
     f"SELECT city, sum(amount) FROM {OLC} WHERE status IS NOT NULL GROUP BY 1"),
    ("Power BI: tables as sub-queries, nulls met", ('select "OTBL"."city", sum("ITBL"."total") as "a0", sum("OTBL"."score") as "a1" from (select "$Table"."id" as "id", "$Table"."city" as "city", "$Table"."score" as "score" '
     'from "public"."customers" "$Table") as "OTBL" left outer join (select "$Table"."customer_id" as "customer_id", "$Table"."total" as "total" from "public"."orders" "$Table") as "ITBL" '
     'on ("OTBL"."id" = "ITBL"."customer_id" or "OTBL"."id" is null and "ITBL"."customer_id" is null) group by "OTBL"."city"'), f"SELECT city, sum(amount), {SCORE} FROM {CLO} GROUP BY 1"),
    ("Power BI: everything of one side", ('select "rows"."city" as "city", sum("rows"."score") as "score", count(distinct "rows"."status") as "n" from (select "$Outer".*, "$Inner"."status" from "public"."customers" "$Outer" '
     'inner join "public"."orders" "$Inner" on ("$Outer"."id" = "$Inner"."customer_id")) "rows" group by "city"'),
     f"SELECT city, (SELECT sum(score) FROM gold.customers k WHERE k.city IS NOT DISTINCT FROM c.city AND k.id IN (SELECT customer_id FROM gold.orders)), count(DISTINCT status) FROM {OC} GROUP BY 1"),
    ("Metabase: a foreign key", ('SELECT "Customers"."city" AS "Customers__city", SUM("public"."orders"."total") AS "sum" FROM "public"."orders" LEFT JOIN "public"."customers" AS "Customers" '
     'ON "public"."orders"."customer_id" = "Customers"."id" GROUP BY "Customers"."city" ORDER BY "Customers"."city" ASC'), f"SELECT city, sum(amount) FROM {OLC} GROUP BY 1"),
    ("Metabase: a joined question", ('SELECT "source"."Customers__city" AS "city", SUM("source"."total") AS "sum", COUNT(*) AS "count" FROM (SELECT "public"."orders"."id" AS "id", "public"."orders"."total" AS "total", '
     '"Customers"."city" AS "Customers__city" FROM "public"."orders" INNER JOIN (SELECT "public"."customers"."id" AS "id", "public"."customers"."city" AS "city" FROM "public"."customers") AS "Customers" '
     'ON "public"."orders"."customer_id" = "Customers"."id") AS "source" WHERE "source"."id" > 1 GROUP BY "source"."Customers__city"'), f"SELECT city, sum(amount), count(*) FROM {OC} WHERE o.id > 1 GROUP BY 1"),
    ("Looker: an explore", ('SELECT customers.city AS "customers.city", COALESCE(SUM(orders.total), 0) AS "orders.total", COUNT(DISTINCT customers.id) AS "customers.count" FROM public.orders AS orders '
     "LEFT JOIN public.customers AS customers ON orders.customer_id = customers.id WHERE ((( orders.status ) <> 'lost')) GROUP BY 1 ORDER BY 2 DESC FETCH NEXT 500 ROWS ONLY"),
     f"SELECT city, coalesce(sum(amount), 0), count(DISTINCT c.id) FROM {OLC} WHERE status <> 'lost' GROUP BY 1"),
    ("Looker: three tables", ('SELECT regions.name AS "regions.name", DATE_TRUNC(\'month\', orders.created_at)::date AS "m", COUNT(orders.count) AS "n" FROM public.orders AS orders '
     "FULL OUTER JOIN public.customers AS customers ON orders.customer_id = customers.id LEFT JOIN public.regions AS regions ON customers.region_id = regions.id GROUP BY 1, DATE_TRUNC('month', orders.created_at)::date"),
     "SELECT r.name, date_trunc('month', created_at)::date, count(o.id) FROM gold.orders o FULL JOIN gold.customers c ON o.customer_id = c.id LEFT JOIN gold.regions r ON r.id = c.region_id GROUP BY 1, 2"),
    ("Superset: a virtual dataset", 'SELECT city AS city, SUM(total) AS "SUM(total)" FROM (SELECT o.total, c.city FROM orders o JOIN customers c ON o.customer_id = c.id) AS virtual_table GROUP BY city ORDER BY "SUM(total)" DESC LIMIT 1000',
     f"SELECT city, sum(amount) FROM {OC} GROUP BY 1"),
    ("Superset: a star of one side", "SELECT status AS status, SUM(score) AS s, COUNT(*) AS n FROM (SELECT o.status, c.* FROM orders o JOIN customers c ON o.customer_id = c.id) AS virtual_table GROUP BY status",
     f"SELECT status, (SELECT sum(score) FROM gold.customers k WHERE k.id IN (SELECT customer_id FROM gold.orders p WHERE p.status = o.status)), count(*) FROM {OC} GROUP BY 1"),
    ("DBeaver: the count of a result", "SELECT count(*) FROM (SELECT o.id, o.total, c.city FROM public.orders o LEFT OUTER JOIN public.customers c ON (c.id = o.customer_id)) dbvrcnt", "SELECT count(*) FROM gold.orders"),
    ("DBeaver: some columns", "SELECT o.id, o.total, c.city FROM public.customers c LEFT OUTER JOIN public.orders o ON (c.id = o.customer_id) ORDER BY o.id LIMIT 200", f"SELECT o.id, amount, city FROM {CLO}"),
    ("Excel: commas", "SELECT customers.city, Sum(orders.total) AS \"Sum of total\" FROM storefront.public.customers customers, storefront.public.orders orders WHERE orders.customer_id = customers.id GROUP BY customers.city".replace("storefront.", ""),
     f"SELECT city, sum(amount) FROM {OC} GROUP BY 1"),
    ("An analyst: a WITH", "WITH o AS (SELECT customer_id, total FROM orders WHERE status = 'done'), c AS (SELECT * FROM customers) SELECT c.city, SUM(o.total), SUM(c.score) FROM c LEFT JOIN o ON o.customer_id = c.id GROUP BY 1",
     f"SELECT c.city, sum(amount), {SCORE} FROM gold.customers c LEFT JOIN (SELECT * FROM gold.orders WHERE status = 'done') o ON o.customer_id = c.id GROUP BY 1"),
    ("An analyst: customers without orders", "SELECT COUNT(c.count) FROM customers c LEFT JOIN orders o ON o.customer_id = c.id WHERE o.id IS NULL", f"SELECT count(*) FROM {CLO} WHERE o.id IS NULL"),
    ("An analyst: an earlier order", "SELECT a.status, COUNT(a.count), COUNT(*) FROM orders a JOIN orders b ON a.customer_id = b.customer_id AND b.id < a.id GROUP BY 1",
     "SELECT a.status, count(DISTINCT a.id), count(*) FROM gold.orders a JOIN gold.orders b ON a.customer_id = b.customer_id AND b.id < a.id GROUP BY 1"),
    ("An analyst: shares", "SELECT c.city, SUM(o.total), SUM(o.total) * 100 / SUM(SUM(o.total)) OVER () AS share, RANK() OVER (ORDER BY SUM(o.total) DESC) FROM orders o RIGHT JOIN customers c ON o.customer_id = c.id GROUP BY 1 HAVING SUM(o.total) IS NOT NULL",
     f"SELECT city, sum(amount), sum(amount) * 100 / sum(sum(amount)) OVER (), rank() OVER (ORDER BY sum(amount) DESC) FROM {CLO} GROUP BY 1 HAVING sum(amount) IS NOT NULL"),
    ("An analyst: the sum of a set", "SELECT city, t FROM (SELECT c.city, SUM(o.total) AS t FROM customers c LEFT JOIN orders o ON o.customer_id = c.id GROUP BY 1) x UNION ALL SELECT 'all', SUM(total) FROM orders",
     f"SELECT city, sum(amount) FROM {CLO} GROUP BY 1 UNION ALL SELECT 'all', sum(amount) FROM gold.orders"),
    ("A view and a cube", "SELECT c.size, SUM(s.total), COUNT(c.count) FROM sales s RIGHT JOIN customers c ON s.customers_id = c.id GROUP BY 1",
     "SELECT CASE WHEN score >= 5 THEN 'big' WHEN score < 5 THEN 'small' ELSE 'none' END AS size, sum(amount), count(DISTINCT c.id) FROM gold.customers c LEFT JOIN gold.orders o ON o.customer_id = c.id GROUP BY 1"),
    ("Two views", "SELECT COUNT(a.count), SUM(b.total) FROM sales a JOIN sales b ON a.customers_id = b.customers_id AND a.id <> b.id",
     "SELECT count(DISTINCT a.id), (SELECT sum(amount) FROM gold.orders k WHERE EXISTS (FROM gold.orders p JOIN gold.customers c ON c.id = p.customer_id WHERE p.customer_id = k.customer_id AND p.id <> k.id)) FROM gold.orders a JOIN gold.orders b ON a.customer_id = b.customer_id AND a.id <> b.id JOIN gold.customers c ON c.id = a.customer_id"),
]  # fmt: skip
