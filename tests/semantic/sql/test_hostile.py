"""Texts that reach for more than the model, or cost more than a question: refused, and quickly."""

import time

import pytest

from ingot.errors import IngotError
from ingot.semantic.errors import QueryError
from ingot.semantic.sql.errors import SqlError
from tests.semantic.lakes import Served

pytestmark = pytest.mark.slow

OUTSIDE = [
    "SELECT * FROM read_csv('/etc/passwd')", "SELECT * FROM '/etc/passwd'", 'SELECT * FROM "/etc/passwd"', "SELECT * FROM \"gold\".\"orders\"",
    "SELECT * FROM gold.orders", "SELECT * FROM read_text('x')", "SELECT * FROM glob('*')", "SELECT * FROM duckdb_settings()", "SELECT * FROM information_schema.tables",
    "SELECT * FROM pg_catalog.pg_class", "SELECT * FROM sqlite_master", "SELECT * FROM orders LIMIT (SELECT count(*) FROM gold.orders)",
    "SELECT * FROM orders OFFSET (SELECT count(*) FROM gold.orders)", "SELECT 1 UNION SELECT id FROM gold.orders", "SELECT (SELECT id FROM gold.orders)",
    "SELECT 1 WHERE EXISTS (SELECT 1 FROM gold.orders)", "WITH x AS (SELECT * FROM gold.orders) SELECT * FROM x", "SELECT * FROM (SELECT * FROM gold.orders) x",
    "SELECT status FROM orders ORDER BY (SELECT max(id) FROM gold.orders)", "SELECT status FROM orders GROUP BY (SELECT 1 FROM gold.orders)",
    "SELECT status FROM orders GROUP BY 1 HAVING (SELECT 1 FROM gold.orders) = 1", "SELECT rank() OVER (ORDER BY (SELECT 1 FROM gold.orders)) FROM orders",
    "SELECT a.status FROM (SELECT status FROM orders LIMIT 1) a JOIN (SELECT 1 AS x) b ON (SELECT true FROM gold.orders)",
    "SELECT status FROM orders UNION SELECT status FROM orders LIMIT (SELECT 1 FROM gold.orders)", "SELECT CASE WHEN true THEN (SELECT max(id) FROM gold.orders) END FROM orders",
    "ATTACH 'x' AS y", "COPY orders TO '/tmp/x'", "COPY (SELECT 1) TO '/tmp/x'", "PRAGMA version", "SET memory_limit = '1'", "INSTALL httpfs", "LOAD httpfs", "CALL x()",
    "CREATE TABLE x AS SELECT 1", "DROP TABLE orders", "INSERT INTO orders VALUES (1)", "UPDATE orders SET id = 1", "DELETE FROM orders", "EXPORT DATABASE 'x'", "VACUUM", "CHECKPOINT",
    "SELECT 1; DROP TABLE orders", "SELECT 1;;SELECT 2", "BEGIN", "SHOW TABLES", "DESCRIBE orders", "EXPLAIN SELECT 1", "SELECT 1 INTO x", "SELECT * FROM orders FOR UPDATE",
    "SELECT pg_sleep(10)", "SELECT '1'::int[]", "SELECT status COLLATE \"de_DE\" FROM orders", "SELECT extract(nonsense FROM created_at) FROM orders", "SELECT random(1)", "SELECT current_setting('x')", "SELECT getenv('HOME')", "SELECT nextval('x')", "SELECT pg_read_file('/etc/passwd')", "SELECT version()",
    "SELECT query('x')", "SELECT * FROM query('SELECT 1')", "SELECT * FROM query_table('gold.orders')", "SELECT * FROM generate_series(1, 1000000000)", "SELECT repeat('x', 1000000000)", "SELECT lpad('x', 100000000)", "SELECT range(1000000000)",
    "SELECT list(status) FROM orders", "SELECT * FROM read_csv('/etc/passwd')", "SELECT * FROM orders, LATERAL read_text('/etc/passwd')", "SELECT * FROM LATERAL (SELECT * FROM glob('/*')) x", "SELECT * FROM unnest(read_blob('/etc/passwd'))",
    "SELECT pg_catalog.read_text('/etc/passwd')", "SELECT \"read_text\"('/etc/passwd')", "SELECT \"query\"('SELECT 1')", "SELECT error('[22012] x')", "SELECT \"list_transform\"(ARRAY[1], 1)", "SELECT main.lower('x')", "SELECT system.main.read_text('x')",
    "SELECT * FROM pg_catalog.read_text('/etc/passwd')", "SELECT * FROM generate_series(1, (SELECT count(*) FROM gold.orders))", "SELECT max(id) FILTER (WHERE EXISTS (SELECT 1 FROM gold.orders)) FROM orders", "WITH RECURSIVE a AS (SELECT 1 AS x UNION ALL SELECT x FROM gold.orders, a) SELECT * FROM a",
    "VALUES ((SELECT max(id) FROM gold.orders))", "SELECT * FROM (VALUES (getenv('HOME'))) x", "SELECT DISTINCT ON ((SELECT 1 FROM gold.orders)) id FROM orders", "SELECT 1 FROM orders GROUP BY ROLLUP ((SELECT 1 FROM gold.orders))", "SELECT regexp_replace(status, '(a|ab)(c|bcd)', 'x') FROM orders",
    "SELECT id FROM orders ORDER BY (SELECT 1 FROM gold.orders)", "SELECT sum(amount) OVER (ORDER BY id ROWS (SELECT 1 FROM gold.orders) PRECEDING) FROM orders", "SELECT id = ANY (SELECT id FROM gold.orders) FROM orders", "SELECT * FROM orders o JOIN customers c ON (SELECT true FROM gold.orders)",
    "SELECT to_char(id, 'L9') FROM orders", "SELECT (SELECT status FROM gold.orders LIMIT 1)", "SELECT percentile_cont(id) WITHIN GROUP (ORDER BY id) FROM orders", "SELECT set_config('a', 'b', false)", "SELECT pg_terminate_backend(1)", "SELECT currval('x')", "SELECT lo_import('/etc/passwd')", "SELECT dblink('x')", "SELECT x.* FROM orders x TABLESAMPLE (10)", "SELECT COLUMNS('.*') FROM orders", "SELECT * EXCLUDE (id) FROM orders", "SELECT * REPLACE (1 AS id) FROM orders",
    "SELECT #1 FROM orders", "SELECT ? FROM orders", "SELECT $1", "SELECT :x", "SELECT {'a': 1}", "SELECT x -> 'a' FROM orders", "SELECT status::regclass FROM orders",
    "PIVOT orders ON status", "SELECT * FROM orders PIVOT (count(*) FOR status IN ('a'))",
    "SELECT id FROM orders QUALIFY row_number() OVER () = 1", "SELECT status FROM orders GROUP BY ALL",
    "", "   ", ";", "--", "/* */", "SELECT", "SELECT FROM", "nonsense", "SELECT 'unclosed", 'SELECT "unclosed', "SELECT /* unclosed", "SELECT 1 +", "\x00", "SELECT '\x00'", "SELECT 1e999999999999999999999999999999999999999999999999999999999999999999",
    "SELECT status FROM orders WHERE", "SELECT \"status\x00\" FROM orders", "SELECT $$a$$ FROM nowhere", "SELECT U&'x' FROM nowhere",
]  # fmt: skip


@pytest.mark.parametrize("text", OUTSIDE)
def test_what_is_outside_of_the_model_is_refused(shop_served: Served, text: str) -> None:
    with pytest.raises(QueryError) as caught:
        shop_served.service.sql_plan(text)
    assert 400 <= caught.value.status < 500
    assert len(caught.value.message) < 1_000


LARGE = {
    "long": "SELECT '" + "a" * 1_000_000 + "'",
    "brackets": "SELECT " + "(" * 5_000 + "1" + ")" * 5_000,
    "sums": "SELECT " + "1 + " * 20_000 + "1",
    "minus": "SELECT " + "- " * 20_000 + "1",
    "not": "SELECT " + "NOT " * 20_000 + "true",
    "cases": "SELECT " + "CASE WHEN true THEN " * 3_000 + "1" + " END" * 3_000,
    "sub-queries": "SELECT * FROM " + "(SELECT * FROM " * 3_000 + "orders" + ") x" * 3_000,
    "unions": " UNION ALL ".join(["SELECT status FROM orders"] * 3_000),
    "columns": "SELECT " + ", ".join(["status"] * 20_000) + " FROM orders",
    "casts": "SELECT 1" + "::text" * 10_000,
    "joins": "SELECT 1 FROM " + " CROSS JOIN ".join(f"orders o{n}" for n in range(3_000)),
    "growing": "WITH a0 AS (SELECT amount AS x FROM orders), "
    + ", ".join(f"a{n} AS (SELECT x + x + x + x AS x FROM a{n - 1})" for n in range(1, 30))
    + " SELECT x FROM a29",
    "divisions": "SELECT " + "1 / (" * 55 + "amount" + ")" * 55 + " FROM orders",
    "calls": "SELECT " + "width_bucket(" * 40 + "amount" + ", 1, 2, 3)" * 40 + " FROM orders",
    "comparisons": "SELECT " + "(" * 40 + "paid" + " < ALL (ARRAY[true, false, paid]))" * 40 + " FROM orders",
    "cubes": "SELECT 1 FROM orders GROUP BY CUBE (id, status, paid, amount, created_at), CUBE (id, status, paid, amount)",
    "series": "SELECT * FROM generate_series(1, 1000000000)",
    "identifier": 'SELECT "' + "x" * 50_000 + '" FROM orders',
}


@pytest.mark.parametrize("kind", LARGE)
def test_what_is_too_large_is_refused_quickly(shop_served: Served, kind: str) -> None:
    began = time.process_time()
    with pytest.raises(QueryError) as caught:
        shop_served.service.sql_plan(LARGE[kind])
    assert time.process_time() - began < 3
    assert len(caught.value.message) < 1_000


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SELECT MEASURE(total) OVER () FROM orders", "MEASURE is no window function."),
        ("SELECT MEASURE(total) FILTER (WHERE paid) OVER () FROM orders", "MEASURE is no window function."),
        ("SELECT MEASURE() FROM orders", "MEASURE takes one measure."),
        ("SELECT MEASURE(total, count) FROM orders", "MEASURE takes one measure."),
        ("SELECT MEASURE(DISTINCT total) FROM orders", "MEASURE takes a measure alone, by its name."),
        ("SELECT MEASURE(MEASURE(total)) FROM orders", "MEASURE takes a measure alone, by its name."),
        ("SELECT MEASURE(total + 1) FROM orders", "MEASURE takes a measure alone, by its name."),
        ("SELECT SUM(total) FILTER (WHERE status) FROM orders", "argument of FILTER must be type boolean, not type text"),
    ],
)  # fmt: skip
def test_what_a_measure_is_not_is_said(shop_served: Served, text: str, message: str) -> None:
    with pytest.raises(SqlError) as caught:
        shop_served.service.query_sql(text)
    assert caught.value.message.startswith(message)


def test_named_sub_queries_are_written_once(shop_served: Served) -> None:
    steps = [f"a{n} AS (SELECT a.x FROM a{n - 1} a CROSS JOIN a{n - 1} b)" for n in range(1, 40)]
    text = f"WITH a0 AS (SELECT COUNT(*) AS x FROM orders), {', '.join(steps)} SELECT x FROM a39"
    assert len(shop_served.service.sql_plan(text).sql) < 10_000
    assert shop_served.service.query_sql(text).rows() == [(3,)]


STRANGE = [
    "'; DROP TABLE orders; --", '"', "\\", "%", "$1", "?", "{CUBE}", "${x}", "\ud7ff☃", "a" * 5_000, "*/", "ﬀ", "\u202e", "\n", "\\' OR 1=1 --",
]  # fmt: skip


@pytest.mark.parametrize("value", STRANGE)
def test_a_text_is_a_value_wherever_it_stands(shop_served: Served, value: str) -> None:
    quoted = "'" + value.replace("'", "''") + "'"
    service = shop_served.service
    assert service.query_sql(f"SELECT {quoted}").rows() == [(value,)]
    assert service.query_sql(f"SELECT MAX({quoted}) FROM orders").rows() == [(value,)]
    for condition in (f"status = {quoted}", f"upper(status) = {quoted}", f"status IN ({quoted}, 'y')"):
        assert service.query_sql(f"SELECT id FROM orders WHERE {condition}").rows() == []
    name = '"' + value.replace('"', '""') + '"'
    found = service.query_sql(f"SELECT status AS {name} FROM orders LIMIT 1")
    assert [one.name for one in found.columns] == [value]
    assert len(found.rows()) == 1
    with pytest.raises(IngotError):
        service.sql_plan(f"SELECT {name} FROM orders")


@pytest.mark.slow
def test_long_lists_are_conditions_whatever_a_query_takes(shop_served: Served) -> None:
    """More values than a query's filters take are compared on the rows; lists beyond all measure are refused."""
    listed = ", ".join(map(str, range(2, 12_002)))
    text = "SELECT MEASURE(total), MEASURE(count) FROM orders WHERE id"
    few = shop_served.service.query_sql(f"{text} IN (2, 3)").rows()
    assert shop_served.service.query_sql(f"{text} IN ({listed})").rows() == few
    assert shop_served.service.query_sql(f"{text} = ANY (ARRAY[{listed}])").rows() == few
    assert shop_served.service.query_sql(f"{text} = ANY ('{{{listed}}}')").rows() == few
    with pytest.raises(SqlError) as caught:
        shop_served.service.query_sql(f"{text} IN ({', '.join(map(str, range(25_000)))})")
    assert caught.value.sqlstate == "54000"
