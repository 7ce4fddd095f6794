"""SELECTs over the tables of the lake: PostgreSQL is the judge, and what must not be asked is refused."""

import asyncio
import json

import psycopg
import pytest

from ingot.engines.duckdb import connect
from ingot.errors import IngotError
from ingot.pgwire.ports import Value
from ingot.pgwire.sqlstates import sqlstate
from tests.pgwire.lake.shop import Shop, answered, fetched

SAME = [
    "SELECT sum(qty) / count(*) AS mean FROM gold.orders",
    "SELECT id, sum(qty) OVER (ORDER BY id) FROM gold.orders ORDER BY id",
    "SELECT extract(month FROM ordered) FROM gold.orders ORDER BY id",
    "SELECT ordered + 1, ordered - ordered FROM gold.orders ORDER BY id",
    "SELECT count(*) FILTER (WHERE qty > 0), bool_and(qty > -10) FROM gold.orders",
    "SELECT * FROM gold.orders a JOIN (SELECT id, name FROM raw.customers) c USING (id)",
    "SELECT * FROM (SELECT a.id, b.id FROM gold.orders a JOIN gold.orders b ON a.id = b.id) t ORDER BY 1",
    "SELECT customer_id AS id, count(*) AS n FROM gold.orders GROUP BY customer_id ORDER BY id NULLS FIRST",
    "SELECT -id AS id FROM gold.orders ORDER BY id",
    "SELECT qty AS amount, count(*) FROM gold.orders GROUP BY amount, qty ORDER BY 1",
    "SELECT customer_id, ordered, count(*) FROM gold.orders GROUP BY ROLLUP (customer_id, ordered) ORDER BY 1, 2, 3",
    "SELECT rank() OVER w, id FROM gold.orders WINDOW w AS (ORDER BY amount DESC) ORDER BY id",
    (
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 5) SELECT x, o.qty FROM n "
        "JOIN gold.orders o ON o.id = n.x ORDER BY x"
    ),
    "SELECT v.a, o.qty FROM (VALUES (1, 'x'), (2, 'y')) AS v(a, b) JOIN gold.orders o ON o.id = v.a ORDER BY 1",
    "SELECT id FROM gold.orders ORDER BY id FETCH FIRST 2 ROWS ONLY",
    "SELECT id FROM gold.orders WHERE (qty, id) > (2, 1) ORDER BY id LIMIT ALL",
    "SELECT id FROM gold.orders WHERE id = ANY (ARRAY[1, 3]) ORDER BY id",
    "SELECT max(at) - min(at) FROM gold.orders",
    "SELECT string_agg(note, ',' ORDER BY id) FROM gold.orders",
    "SELECT (SELECT count(*) FROM raw.customers c WHERE c.id < o.customer_id) AS n FROM gold.orders o ORDER BY o.id",
    "SELECT 'x' AS k, NULL AS nothing, id FROM gold.orders WHERE ordered >= '2026-02-01' ORDER BY id",
    "SELECT floor(amount), amount::int FROM gold.orders ORDER BY id",
    "SELECT * FROM gold.orders ORDER BY id",
    "SELECT o.* FROM gold.orders o ORDER BY 1 DESC LIMIT 2 OFFSET 1",
    "SELECT id, qty / 2 AS half, qty % 2, -qty / 2, id * 1.5 FROM gold.orders ORDER BY id",
    "SELECT count(*), count(note), count(DISTINCT customer_id), min(amount), max(ordered) FROM gold.orders",
    "SELECT note FROM gold.orders ORDER BY note DESC, id",
    "SELECT ordered, at FROM gold.orders ORDER BY ordered, id",
    "SELECT name, upper(country) FROM raw.customers WHERE country IS NOT NULL ORDER BY name",
    'SELECT "Full Name" FROM raw.customers ORDER BY "Full Name"',
    'SELECT c."Full Name" AS "Who", o.id FROM raw.customers AS c JOIN gold.orders o ON o.customer_id = c.id ORDER BY 2',
    (
        "SELECT c.name, sum(o.amount) FROM raw.customers c LEFT JOIN gold.orders o ON c.id = o.customer_id "
        "GROUP BY c.name ORDER BY c.name"
    ),
    (
        "SELECT id, name, amount FROM raw.customers JOIN (SELECT customer_id AS id, amount FROM gold.orders) o USING (id) "
        "ORDER BY amount"
    ),
    "WITH big AS (SELECT * FROM gold.orders WHERE amount > 10) SELECT count(*) FROM big",
    "WITH a(x, y) AS (SELECT id, qty FROM gold.orders), b AS (SELECT x + y AS z FROM a) SELECT z / 2 FROM b ORDER BY 1",
    "SELECT id FROM gold.orders UNION SELECT id FROM raw.customers ORDER BY id",
    "SELECT id FROM gold.orders EXCEPT SELECT id FROM gold.orders WHERE qty > 2 ORDER BY 1",
    "SELECT id, row_number() OVER (PARTITION BY customer_id ORDER BY amount) FROM gold.orders ORDER BY id",
    "SELECT id FROM gold.orders o WHERE EXISTS (SELECT 1 FROM raw.customers c WHERE c.id = o.customer_id) ORDER BY id",
    "SELECT id, (SELECT name FROM raw.customers c WHERE c.id = o.customer_id) FROM gold.orders o ORDER BY id",
    "SELECT id FROM gold.orders WHERE customer_id IN (SELECT id FROM raw.customers WHERE country = 'de') ORDER BY id",
    (
        "SELECT CASE WHEN qty > 2 THEN 'many' WHEN qty < 0 THEN 'back' ELSE 'few' END, count(*) FROM gold.orders "
        "GROUP BY 1 ORDER BY 1"
    ),
    "SELECT date_trunc('month', at) AS m, count(*) FROM gold.orders GROUP BY m ORDER BY m",
    "SELECT id FROM gold.orders WHERE note LIKE '50\\%%' ORDER BY id",
    "SELECT id FROM gold.orders WHERE note = 'Ünïcode ''quoted''' OR note = ''  ORDER BY id",
    "SELECT coalesce(customer_id, 0) / 3 FROM gold.orders ORDER BY id",
    "SELECT ID, Qty FROM GOLD.Orders WHERE iD = 1",
    "SELECT x.a FROM (SELECT qty AS a FROM gold.orders) AS x ORDER BY x.a",
    "SELECT t.b FROM gold.orders AS t(a, b) ORDER BY t.a",
    "SELECT count(*) FROM gold.orders a, gold.orders b WHERE a.id < b.id",
    "SELECT a.id, b.id FROM gold.orders a JOIN gold.orders b ON a.id = b.id - 1 ORDER BY 1",
    "SELECT at + interval '1 day' FROM gold.orders ORDER BY id",
    "SELECT id::text || '-' || qty FROM gold.orders ORDER BY id",
    "SELECT DISTINCT ON (customer_id) customer_id, id FROM gold.orders ORDER BY customer_id, id",
    "SELECT * FROM raw.events ORDER BY id",
    "SELECT * FROM (SELECT id, qty FROM gold.orders) a NATURAL JOIN (SELECT id, name FROM raw.customers UNION SELECT 1, 'x') b",
    "SELECT count(*) FROM (SELECT qty FROM gold.orders) a NATURAL JOIN raw.customers",
    "SELECT DISTINCT upper(note) FROM gold.orders ORDER BY upper(note)",
    "SELECT g, o.id FROM generate_series(0, 3) g LEFT JOIN gold.orders o ON o.id = g ORDER BY g",
    (
        "SELECT d.day::date, count(o.id) FROM generate_series(timestamp '2026-01-30', '2026-02-02', '1 day') AS d(day) "
        "LEFT JOIN gold.orders o ON o.ordered = d.day::date GROUP BY 1 ORDER BY 1"
    ),
    "SELECT u, o.qty FROM unnest(ARRAY[1, 3]) u JOIN gold.orders o ON o.id = u ORDER BY 1",
    (
        "SELECT c.name, l.id FROM raw.customers c CROSS JOIN LATERAL (SELECT o.id FROM gold.orders o "
        "WHERE o.customer_id = c.id ORDER BY o.amount LIMIT 1) l ORDER BY 1"
    ),
    "SELECT c.name, l.n FROM raw.customers c, LATERAL (SELECT count(*) AS n FROM gold.orders o WHERE o.customer_id = c.id) l ORDER BY 1",
    "SELECT big / 2, big % 2, score * 2, score::text, big + id FROM raw.events ORDER BY id",
    "SELECT ok, count(*), sum(score), max(big) FROM raw.events GROUP BY ok ORDER BY ok",
    "SELECT date_trunc('month', seen), extract(hour FROM seen), seen::date FROM raw.events ORDER BY id",
    "SELECT seen - interval '1 month', seen + interval '3 hours' FROM raw.events ORDER BY id",
    "SELECT id FROM raw.events WHERE seen >= '2026-03-29 01:00:00+00' AND seen < '2026-11-01' ORDER BY id",
    "SELECT seen AT TIME ZONE 'Europe/Berlin' FROM raw.events ORDER BY id",
    (
        "SELECT CAST(extract(year FROM o.ordered) AS int) AS y, sum(o.amount) AS total FROM gold.orders o GROUP BY 1 "
        "HAVING sum(o.amount) > 1 ORDER BY 2 DESC NULLS LAST LIMIT 10"
    ),
    (
        'SELECT "source"."note" AS "note", count(*) AS "count" FROM (SELECT "gold"."orders"."note" AS "note" FROM "gold"."orders") '
        '"source" GROUP BY "source"."note" ORDER BY "source"."note" ASC'
    ),
    (
        'SELECT SUM("orders"."amount") AS "sum:amount:ok", "orders"."customer_id" FROM "gold"."orders" "orders" '
        'WHERE ("orders"."ordered" >= (DATE \'2026-01-01\')) GROUP BY 2 ORDER BY 2'
    ),
    "SELECT count(distinct customer_id) AS a, count(1) FROM (SELECT * FROM gold.orders WHERE amount > 0) AS virtual_table LIMIT 1000",
    "SELECT o.id, c.name FROM gold.orders o FULL JOIN raw.customers c ON c.id = o.customer_id ORDER BY 1, 2",
    "SELECT o.id FROM gold.orders o RIGHT OUTER JOIN raw.customers c ON (c.id = o.customer_id) WHERE o.id IS NULL",
    "SELECT o.id, e.id FROM gold.orders o CROSS JOIN raw.events e WHERE o.id = e.id ORDER BY 1",
    "SELECT * FROM gold.orders WHERE note IS NOT NULL AND (note ILIKE '%OFF' OR note ~ '^p') ORDER BY id",
    "SELECT lag(amount) OVER (ORDER BY id), first_value(id) OVER (PARTITION BY customer_id ORDER BY id) FROM gold.orders ORDER BY id",
    "SELECT sum(amount) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM gold.orders ORDER BY id",
    "SELECT customer_id, ordered, sum(qty) FROM gold.orders GROUP BY GROUPING SETS ((customer_id), (ordered), ()) ORDER BY 1, 2, 3",
    "SELECT coalesce(note, 'none'), nullif(qty, 0), greatest(qty, 1), least(qty, 1) FROM gold.orders ORDER BY id",
    "SELECT length(note), substring(note FROM 2 FOR 3), position('o' IN note), replace(note, 'o', '0') FROM gold.orders ORDER BY id",
    "(SELECT id FROM gold.orders ORDER BY id LIMIT 1) UNION ALL (SELECT id FROM raw.customers ORDER BY id DESC LIMIT 1) ORDER BY 1 DESC",
    "SELECT id IN (1, 2), id NOT IN (1, NULL), amount BETWEEN 1 AND 20, qty IS DISTINCT FROM 3 FROM gold.orders ORDER BY id",
    "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY qty), mode() WITHIN GROUP (ORDER BY qty) FROM gold.orders",
    "SELECT array_agg(id ORDER BY id DESC) FROM gold.orders",
    "WITH x AS (SELECT id FROM gold.orders), y AS (SELECT id FROM x WHERE id > 2) SELECT (SELECT count(*) FROM y), (SELECT max(id) FROM x)",
    "SELECT EXISTS (SELECT 1 FROM gold.orders WHERE id = 99) AS there, NOT EXISTS (SELECT 1 FROM gold.orders) FROM raw.customers LIMIT 1",
    "SELECT t.* FROM (SELECT o.*, c.name FROM gold.orders o LEFT JOIN raw.customers c ON c.id = o.customer_id) t WHERE t.name IS NULL ORDER BY 1",
]


@pytest.mark.slow
@pytest.mark.parametrize("sql", SAME)
def test_a_select_gives_what_postgresql_gives(shop: Shop, postgres: str, sql: str) -> None:
    with psycopg.connect(postgres) as con:
        cursor = psycopg.ClientCursor(con)
        cursor.execute("SET client_encoding = 'UTF8'")
        result = con.pgconn.exec_(sql.encode())
        expected = [
            tuple(
                None if (cell := result.get_value(row, column)) is None else cell.decode()
                for column in range(result.nfields)
            )
            for row in range(result.ntuples)
        ]
        assert result.error_message == b""
        names = [(result.fname(column) or b"").decode() for column in range(result.nfields)]
        kinds = [result.ftype(column) for column in range(result.nfields)]
    statement_names, rows = asyncio.run(answered(shop.source(), sql))
    assert rows == expected
    assert statement_names == names
    assert [one.oid for one in asyncio.run(shop.source().prepare(sql)).fields or ()] == kinds


@pytest.mark.slow
@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Berlin", "Asia/Kolkata"])
def test_times_are_told_in_the_zone_of_the_session(shop: Shop, postgres: str, zone: str) -> None:
    sql = (
        "SELECT seen, date_trunc('day', seen), extract(hour FROM seen)::int, seen::date, seen::timestamp, "
        "seen + interval '1 day', seen > '2026-03-29 03:00' FROM raw.events ORDER BY id"
    )
    with psycopg.connect(postgres) as con:
        con.execute(f"SET timezone = '{zone}'")
        result = con.pgconn.exec_(sql.encode())
        expected = [
            tuple((result.get_value(row, column) or b"").decode() for column in range(result.nfields))
            for row in range(result.ntuples)
        ]
    assert shop.ask(sql, timezone=zone) == expected


def test_the_ref_of_the_session_is_what_is_read(shop: Shop) -> None:
    assert shop.ask("SELECT count(*) FROM gold.orders") == [("5",)]
    assert shop.ask("SELECT count(*) FROM gold.orders", "dev") == [("6",)]
    assert shop.ask("SELECT count(*) FROM shop.gold.orders", "dev") == [("6",)]
    assert shop.ask("SELECT id FROM lake.gold.orders WHERE id > 5", "dev") == [("6",)]


def test_views_of_the_lake_are_tables(shop: Shop) -> None:
    assert shop.ask("SELECT * FROM gold.big ORDER BY id") == [("3", "100.00"), ("5", "77.77")]


def test_columns_may_bear_all_names_of_their_table(shop: Shop) -> None:
    text = "SELECT {0}.id, min({0}.qty) FROM {0} WHERE {0}.id < 3 GROUP BY {0}.id ORDER BY {0}.id"
    for name in ("gold.orders", "lake.gold.orders", "shop.gold.orders"):
        assert shop.ask(text.format(name)) == [("1", "3"), ("2", "7")]


def test_the_search_path_finds_tables(shop: Shop) -> None:
    assert shop.ask("SELECT count(*) FROM orders", search_path="gold, raw") == [("5",)]


@pytest.mark.parametrize(
    ("sql", "state", "said"),
    [
        ("SELECT * FROM gold.ordres", "42P01", "gold.orders"),
        ("SELECT * FROM nowhere.orders", "42P01", "nowhere.orders"),
        ("SELECT * FROM orders", "42P01", "gold.orders"),
        ("SELECT amuont FROM gold.orders", "42703", '"amuont" does not exist'),
        ("SELECT o.amuont FROM gold.orders o", "42703", "o.amuont does not exist"),
        ("SELECT x.id FROM gold.orders o", "42P01", 'missing FROM-clause entry for table "x"'),
        ("SELECT id FROM gold.orders a JOIN gold.orders b ON true", "42702", "ambiguous"),
        ("SELECT 1 FROM gold.orders a, raw.customers a", "42712", "more than once"),
        ("SELECT * FROM nope.public.t", "3D000", 'catalog "nope"'),
        ("SELECT frobnicate(id) FROM gold.orders", "42883", "frobnicate"),
        ("SELECT id FROM gold.orders WHERE", "42601", ""),
        ("SELECT 1 / (qty - qty) FROM gold.orders", "22012", "division by zero"),
        ("SELECT qty + 2147483647 FROM gold.orders", "22003", "integer out of range"),
        ("SELECT (SELECT id FROM gold.orders) FROM gold.orders", "21000", "more than one row"),
        ("SELECT sum(count(*)) FROM gold.orders", "42803", "nested"),
        ("SELECT id FROM gold.orders WHERE count(*) > 1", "42803", "not allowed in WHERE"),
        ("SELECT id FROM gold.orders WHERE rank() OVER () > 1", "42P20", "not allowed in WHERE"),
        ("SELECT note::int FROM gold.orders", "22P02", "integer"),
        ("SELECT * FROM gold..orders", "42601", ""),
        ("SELECT DISTINCT note FROM gold.orders ORDER BY id", "42P10", "must appear in select list"),
        ("SELECT id FROM gold.orders GROUP BY 2", "42P10", "position 2"),
        ("SELECT id, count(*) FROM gold.orders", "42803", 'column "id" must appear in the GROUP BY'),
        ("SELECT id FROM gold.orders WHERE id", "42804", "boolean"),
        (
            "SELECT id FROM gold.orders UNION SELECT id, qty FROM gold.orders",
            "42601",
            "same number of columns",
        ),
        ("SELECT id + note FROM gold.orders", "42883", "operator"),
    ],
)
def test_an_error_has_postgresqls_code(shop: Shop, sql: str, state: str, said: str) -> None:
    with pytest.raises(IngotError) as wrong:
        shop.ask(sql)
    assert sqlstate(wrong.value) == state
    assert said in str(wrong.value)


def test_an_error_has_its_place(shop: Shop) -> None:
    with pytest.raises(IngotError) as wrong:
        shop.ask("SELECT id,\n  amuont FROM gold.orders")
    assert getattr(wrong.value, "position", None) == 14


HOSTILE = [
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM '/etc/passwd'",
    'SELECT * FROM "/etc/passwd"',
    'SELECT * FROM gold."/etc/passwd"',
    "SELECT content FROM read_text('/etc/passwd')",
    "SELECT * FROM glob('/*')",
    "SELECT current_setting('secret_directory') FROM gold.orders",
    "SELECT getenv('HOME') FROM gold.orders",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM duckdb_secrets()",
    "SELECT * FROM duckdb_databases()",
    "SELECT * FROM postgres_query('crm', 'DELETE FROM t')",
    "ATTACH '/tmp/x.db' AS x",
    "COPY gold.orders TO '/tmp/x.csv'",
    "INSTALL httpfs",
    "SET enable_external_access = true",
    "PRAGMA database_list",
    "SELECT 1 FROM gold.orders; DROP TABLE gold.orders",
    "INSERT INTO gold.orders (id) VALUES (1)",
    "WITH x AS (DELETE FROM gold.orders RETURNING *) SELECT * FROM x",
    "SELECT * INTO raw.mine FROM gold.orders",
    "SELECT * FROM gold.orders FOR UPDATE",
    "SELECT query('SELECT 1') FROM gold.orders",
    "SELECT * FROM query_table('gold.orders')",
    "SELECT pg_read_file('/etc/passwd') FROM gold.orders",
    "SELECT * FROM memory.main.t",
    "SELECT * FROM temp.information_schema.tables",
    "SELECT * FROM system.main.duckdb_secrets",
    "SELECT lo_import('/etc/passwd') FROM gold.orders",
]


@pytest.mark.parametrize("sql", HOSTILE)
def test_what_is_no_select_over_known_tables_is_refused(shop: Shop, sql: str) -> None:
    with pytest.raises(IngotError) as wrong:
        shop.ask(sql)
    assert "root:" not in str(wrong.value)


def test_who_may_not_read_the_lake_learns_nothing(shop: Shop) -> None:
    said = set()
    for sql in ("SELECT * FROM gold.orders", "SELECT * FROM gold.nothing", "SELECT nope FROM gold.orders"):
        with pytest.raises(IngotError) as wrong:
            shop.ask(sql, lake=False)
        said.add((sqlstate(wrong.value), str(wrong.value)))
    assert len(said) == 1
    assert next(iter(said))[0] == "42501"


def test_rows_come_as_many_as_are_asked_for(shop: Shop) -> None:
    async def ask() -> None:
        statement = await shop.source().prepare("SELECT id FROM gold.orders ORDER BY id")
        rows = await statement.run((), ())
        first = await rows.fetch(2)
        assert first is not None
        assert first.rows == 2
        assert await fetched(rows, 2) == [("3",), ("4",), ("5",)]
        assert await rows.fetch(1) is None
        await rows.close()

    asyncio.run(ask())


@pytest.mark.slow
def test_a_statement_is_cancelled_at_once(shop: Shop) -> None:
    many = ", ".join(f"gold.orders o{n}" for n in range(14))

    async def ask() -> float:
        source = shop.source()
        loop = asyncio.get_running_loop()
        statement = await source.prepare(f"SELECT count(*) FROM {many} WHERE o0.id + o13.id * o7.id = -1")
        task = asyncio.ensure_future(_whole(statement))
        await asyncio.sleep(0.5)
        began = loop.time()
        source.cancel()
        with pytest.raises(IngotError) as stopped:
            await task
        took = loop.time() - began
        assert sqlstate(stopped.value) == "57014"
        assert await answered(source, "SELECT 1 AS one FROM gold.orders LIMIT 1") == (["one"], [("1",)])
        return took

    assert asyncio.run(ask()) < 0.1


async def _whole(statement: object) -> object:
    rows = await statement.run((), ())  # type: ignore[attr-defined]
    return await fetched(rows)


def test_sessions_at_once_do_not_meet(shop: Shop) -> None:
    async def ask() -> list[tuple[list[str], list[tuple[str | None, ...]]]]:
        sources = [shop.source("main" if n % 2 else "dev") for n in range(10)]
        return await asyncio.gather(*(answered(one, "SELECT count(*) FROM gold.orders") for one in sources))

    found = asyncio.run(ask())
    assert [rows for _, rows in found] == [[("5",)] if n % 2 else [("6",)] for n in range(10)]


def _value(text: str | None) -> Value:
    return Value(None if text is None else text.encode())


async def _with_values(shop: Shop, sql: str, *texts: str | None) -> list[tuple[str | None, ...]]:
    statement = await shop.source().prepare(sql)
    return await fetched(await statement.run([_value(one) for one in texts], ()))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sql", "kinds"),
    [
        ("SELECT id FROM gold.orders WHERE qty > $1", [23]),
        ("SELECT id FROM gold.orders WHERE amount BETWEEN $1 AND $2", [1700, 1700]),
        ("SELECT id FROM gold.orders WHERE $2 = note AND ordered >= $1", [1082, 25]),
        ("SELECT id FROM gold.orders WHERE id IN ($1, $2) LIMIT $3", [23, 23, 20]),
        ("SELECT $1::date, $2", [1082, 25]),
        ("SELECT id + $1 FROM gold.orders WHERE note LIKE $2", [23, 25]),
        ("SELECT coalesce(note, $1) FROM gold.orders", [25]),
        (
            "SELECT id FROM gold.orders o WHERE (SELECT name FROM raw.customers c WHERE c.id = $1) = 'ann'",
            [23],
        ),
    ],
)
def test_types_of_parameters_are_found(shop: Shop, postgres: str, sql: str, kinds: list[int]) -> None:
    with psycopg.connect(postgres) as con:
        con.pgconn.prepare(b"", sql.encode())
        described = con.pgconn.describe_prepared(b"")
        assert [described.param_type(n) for n in range(described.nparams)] == kinds
    assert list(asyncio.run(shop.source().prepare(sql)).parameters) == kinds


def test_values_are_filled_in_and_can_be_anything(shop: Shop) -> None:
    async def ask() -> None:
        sql = "SELECT id FROM gold.orders WHERE qty > $1 ORDER BY id"
        assert await _with_values(shop, sql, "2") == [("1",), ("2",)]
        assert await _with_values(shop, sql, None) == []
        texts = "SELECT $1::text AS a, note = $1 AS same FROM gold.orders WHERE id = $2"
        for said in ("Ünïcode 'quoted'", "'; DROP TABLE gold.orders --", "$2", "\\", "", "a" * 10_000):
            found = await _with_values(shop, texts, said, "4")
            assert found == [(said, "t" if said.startswith("Ünï") else "f")]
        assert await _with_values(
            shop, "SELECT id FROM gold.orders ORDER BY id LIMIT $1 OFFSET $2", "1", "3"
        ) == [("4",)]
        assert await _with_values(shop, "SELECT sum(qty) / $1 FROM gold.orders", "2") == [("2",)]
        with pytest.raises(IngotError) as wrong:
            await _with_values(shop, sql, "two")
        assert sqlstate(wrong.value) == "22P02"

    asyncio.run(ask())


def test_a_kept_statement_reads_the_present_state(shop: Shop) -> None:
    async def ask() -> None:
        shop.lake.branch("moving")
        statement = await shop.source("moving").prepare("SELECT count(*) FROM raw.customers")
        assert await fetched(await statement.run((), ())) == [("3",)]
        with connect() as con:
            more = shop.lake.stage(con, "raw.customers", "SELECT 99 AS id", on="moving", mode="append")
            shop.lake.commit("moving", [more], message="more")
        assert await fetched(await statement.run((), ())) == [("4",)]
        with connect() as con:
            other = shop.lake.stage(con, "raw.customers", "SELECT 'x' AS id", on="moving")
            shop.lake.commit("moving", [other], message="other")
        assert await fetched(await statement.run((), ())) == [("1",)]

    asyncio.run(ask())


def test_explain_tells_the_plan(shop: Shop) -> None:
    text = "\n".join(str(line) for (line,) in shop.ask("EXPLAIN SELECT note FROM gold.orders WHERE qty > 3"))
    assert "Parquet Scan" in text
    assert "Filters: qty>3" in text
    assert "Ref: main" in text
    assert str(shop.lake.warehouse).removeprefix("file://") not in text
    assert ".parquet" not in text
    ((plan,),) = shop.ask("EXPLAIN (ANALYZE, FORMAT JSON) SELECT id FROM gold.orders WHERE qty > 2")
    told = json.loads(plan or "")[0]["Plan"]
    assert told["Plans"][0]["Actual Rows"] == 2
    assert "Execution Time" in str(shop.ask("EXPLAIN ANALYZE SELECT count(*) FROM gold.orders"))
    assert told["Execution Time"] > 0
    with pytest.raises(IngotError) as wrong:
        shop.ask("EXPLAIN SELECT nope FROM gold.orders")
    assert getattr(wrong.value, "position", None) == 16


def test_catalogs_schemas_and_tables_are_listed(shop: Shop) -> None:
    assert shop.ask("SHOW CATALOGS") == [("lake",), ("model",)]
    assert shop.ask("show schemas;") == [("gold",), ("raw",)]
    assert shop.ask("SHOW SCHEMAS FROM model") == [("public",)]
    assert shop.ask("SHOW TABLES FROM gold") == [("big",), ("orders",)]
    assert shop.ask('SHOW TABLES IN lake."gold"') == [("big",), ("orders",)]
    assert shop.ask("SHOW TABLES") == [("gold.big",), ("gold.orders",), ("raw.customers",), ("raw.events",)]
    assert shop.ask("SHOW TABLES FROM model.public") == [("customers_cube",), ("sales",)]
    assert shop.names("SHOW CATALOGS") == ["Catalog"]
    for sql, state in (
        ("SHOW TABLES FROM gould", "3F000"),
        ("SHOW SCHEMAS FROM lak", "3D000"),
        ("SHOW TABLES gold", "42601"),
        ("SHOW TABLES FROM a.b.c", "42601"),
    ):
        with pytest.raises(IngotError) as wrong:
            shop.ask(sql)
        assert sqlstate(wrong.value) == state


def test_what_belongs_here_is_known_by_its_name(shop: Shop) -> None:
    source = shop.source()
    assert source.knows(("gold", "orders"))
    assert source.knows(("gold", "ordres"))
    assert source.knows(("lake", "gold", "orders"))
    assert not source.knows(("public", "sales"))
    assert not source.knows(("nowhere", "orders"))


@pytest.mark.slow
def test_a_cancel_stops_the_portal_at_work_and_no_other(shop: Shop) -> None:
    many = ", ".join(f"gold.orders o{n}" for n in range(14))

    async def ask() -> None:
        source = shop.source()
        slow = await source.prepare(f"SELECT o0.id FROM {many} WHERE o0.id + o13.id * o7.id = -1")
        first = await source.prepare(
            "SELECT a.id FROM gold.orders a, gold.orders b, gold.orders c ORDER BY 1"
        )
        rows = await first.run((), ())
        await rows.fetch(1)
        await source.prepare("SELECT 2 AS two FROM gold.orders")
        task = asyncio.ensure_future(_whole(slow))
        await asyncio.sleep(0.2)
        source.cancel()
        with pytest.raises(IngotError) as stopped:
            await task
        assert sqlstate(stopped.value) == "57014"
        assert len(await fetched(rows)) == 124

    asyncio.run(ask())
