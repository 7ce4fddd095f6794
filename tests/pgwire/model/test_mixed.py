"""Cubes and tables in one statement: rows are those of plain SQL over the files, rights those of each part alone."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings

from ingot.engines.duckdb import connect
from ingot.pgwire.federation import Federation
from ingot.pgwire.lake_source import LakeReader
from ingot.project.loading import load
from tests.pgwire.answering import Running
from tests.pgwire.cancelling import until_cancelled
from tests.pgwire.lake.test_any_statement import split, statements
from tests.pgwire.model.serving import serving
from tests.pgwire.model.store import BOSS, CLERK, USERS, Store, store

Con = psycopg.Connection[tuple[Any, ...]]


@contextmanager
def mixing(shop: Store, federation: Federation | None = None) -> Iterator[Running]:
    """A server that reads the lake's tables for `boss` and `clerk`, and for nobody else."""
    tables = LakeReader(shop.engine, shop.service.states, federation)
    with serving(shop.service, USERS, tables=tables, may_read_lake=lambda who: who in (BOSS, CLERK)) as made:
        yield made


@contextmanager
def connected(running: Running, user: str = "boss", database: str = "shop") -> Iterator[Con]:
    dsn = f"host=127.0.0.1 port={running.port} user={user} dbname={database} sslmode=disable"
    with psycopg.connect(dsn, autocommit=True) as con:
        yield con


def till(file: Path) -> Path:
    """A database of somebody else's: a table of cities."""
    with sqlite3.connect(file) as con:
        con.execute("CREATE TABLE cities (city TEXT, people INTEGER)")
        con.execute("INSERT INTO cities VALUES ('Rome', 3), ('Oslo', 1), ('Turku', 9)")
    con.close()
    return file


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with store(tmp_path_factory.mktemp("mixed"), policies=True) as made:
        yield made


@pytest.fixture(scope="module")
def running(shop: Store) -> Iterator[Running]:
    folder = shop.files / "project"
    (folder / "sources").mkdir(parents=True)
    till(folder / "till.db")
    (folder / "ingot.yml").write_text("name: shop\n")
    (folder / "sources" / "till.yml").write_text("connector: sqlite\npath: till.db\nattach: true\n")
    federation = Federation(load(folder, environ={}), shop.lake)
    try:
        with mixing(shop, federation) as made:
            yield made
    finally:
        federation.close()


@pytest.fixture(scope="module")
def boss(running: Running) -> Iterator[Con]:
    with connected(running) as made:
        yield made


@pytest.fixture(scope="module")
def clerk(running: Running) -> Iterator[Con]:
    with connected(running, "clerk") as made:
        yield made


SAME = [
    (
        "SELECT o.status, count(*) FROM orders o JOIN gold.customers c ON c.id = o.id GROUP BY 1 ORDER BY 1",
        "SELECT o.status, count(*) FROM orders o JOIN customers c ON c.id = o.id GROUP BY 1 ORDER BY 1",
    ),
    (
        "SELECT c.city, x.total FROM (SELECT id, SUM(total) AS total FROM orders GROUP BY 1) x JOIN gold.customers c ON c.id = x.id ORDER BY c.id",
        "SELECT c.city, o.amount FROM orders o JOIN customers c ON c.id = o.id ORDER BY c.id",
    ),
    (
        "SELECT c.city, g.n, MEASURE(c.count) FROM customers c JOIN (SELECT customer_id, count(*) AS n FROM gold.orders GROUP BY 1) g ON g.customer_id = c.id GROUP BY 1, 2 ORDER BY 1, 2",
        "SELECT c.city, g.n, count(*) FROM customers c JOIN (SELECT customer_id, count(*) AS n FROM orders GROUP BY 1) g ON g.customer_id = c.id GROUP BY 1, 2 ORDER BY 1, 2",
    ),
    (
        "SELECT c.city, MEASURE(c.count), count(*) FROM customers c JOIN gold.orders o ON o.customer_id = c.id GROUP BY 1 ORDER BY 1",
        "SELECT c.city, count(DISTINCT c.id), count(*) FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY 1 ORDER BY 1",
    ),
    (
        "SELECT status, MEASURE(total), COUNT(*) FROM orders WHERE id IN (SELECT customer_id FROM gold.orders WHERE amount > 90) GROUP BY 1 ORDER BY 1",
        "SELECT status, sum(amount), count(*) FROM orders WHERE id IN (SELECT customer_id FROM orders WHERE amount > 90) GROUP BY 1 ORDER BY 1",
    ),
    (
        "SELECT count(*) FROM gold.customers WHERE id NOT IN (SELECT id FROM orders WHERE amount > 50)",
        "SELECT count(*) FROM customers WHERE id NOT IN (SELECT id FROM orders WHERE amount > 50)",
    ),
    (
        "WITH t AS (SELECT id, city FROM gold.customers), o AS (SELECT id, status FROM orders) SELECT t.city, o.status FROM t LEFT JOIN o ON o.id = t.id ORDER BY t.id",
        "SELECT t.city, o.status FROM customers t LEFT JOIN orders o ON o.id = t.id ORDER BY t.id",
    ),
    (
        "SELECT id, status FROM orders WHERE id < 9 UNION SELECT id, city FROM gold.customers WHERE id < 9 ORDER BY 1, 2",
        "SELECT id, status FROM orders WHERE id < 9 UNION SELECT id, city FROM customers WHERE id < 9 ORDER BY 1, 2",
    ),
    (
        "SELECT c.id, (SELECT MEASURE(total) FROM orders o WHERE o.id = c.id) FROM gold.customers c ORDER BY 1",
        "SELECT c.id, (SELECT sum(amount) FROM orders o WHERE o.id = c.id) FROM customers c ORDER BY 1",
    ),
    (
        "SELECT city, sum(n) OVER (ORDER BY city) FROM (SELECT c.city, count(*) AS n FROM customers c JOIN gold.customers g USING (id) GROUP BY 1) x ORDER BY 1",
        "SELECT city, sum(n) OVER (ORDER BY city) FROM (SELECT city, count(*) AS n FROM customers GROUP BY 1) x ORDER BY 1",
    ),
    (
        "SELECT s.status, g.city FROM sales s JOIN gold.customers g ON g.city = s.city AND g.id = 7 WHERE s.status = 'new' ORDER BY s.created_at LIMIT 5",
        "SELECT o.status, c.city FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.status = 'new' AND c.city = (SELECT city FROM customers WHERE id = 7) ORDER BY o.created_at LIMIT 5",
    ),
    (
        "SELECT EXISTS (SELECT 1 FROM gold.customers g WHERE g.id = o.id), count(*) FROM orders o GROUP BY 1 ORDER BY 1",
        "SELECT EXISTS (SELECT 1 FROM customers g WHERE g.id = o.id), count(*) FROM orders o GROUP BY 1 ORDER BY 1",
    ),
    (
        "SELECT l.id, l.amount FROM gold.customers c CROSS JOIN LATERAL (SELECT id, amount FROM orders o WHERE o.id = c.id) l ORDER BY 1",
        "SELECT o.id, o.amount FROM customers c JOIN orders o ON o.id = c.id ORDER BY 1",
    ),
    (
        "SELECT g.city, MEASURE(o.total), MEASURE(o.count) FROM gold.customers g LEFT JOIN orders o ON o.id = g.id AND o.amount > 50 GROUP BY 1 ORDER BY 1",
        "SELECT g.city, sum(o.amount), count(o.id) FROM customers g LEFT JOIN orders o ON o.id = g.id AND o.amount > 50 GROUP BY 1 ORDER BY 1",
    ),
    (
        "SELECT c.city, MEASURE(c.count) FROM customers c FULL JOIN gold.orders g ON g.customer_id = c.id AND g.amount > 95 WHERE g.id IS NULL OR g.id > 1000 GROUP BY 1 HAVING MEASURE(c.count) > 1 ORDER BY MEASURE(c.count) DESC, 1",
        "SELECT c.city, count(DISTINCT c.id) FROM customers c FULL JOIN orders g ON g.customer_id = c.id AND g.amount > 95 WHERE g.id IS NULL OR g.id > 1000 GROUP BY 1 HAVING count(DISTINCT c.id) > 1 ORDER BY 2 DESC, 1",
    ),
    (
        "SELECT date_trunc('month', o.created_at) AS m, count(*), MEASURE(o.total) FROM orders o JOIN gold.orders g ON g.id = o.id AND g.paid GROUP BY 1 ORDER BY 1",
        "SELECT date_trunc('month', created_at)::timestamp, count(*), sum(amount) FROM orders WHERE paid GROUP BY 1 ORDER BY 1",
    ),
    (
        "WITH RECURSIVE n(x) AS (SELECT min(id) FROM gold.customers UNION ALL SELECT x + 1 FROM n WHERE x < 5) SELECT n.x, o.status FROM n LEFT JOIN orders o ON o.id = n.x ORDER BY 1",
        "WITH RECURSIVE n(x) AS (SELECT min(id) FROM customers UNION ALL SELECT x + 1 FROM n WHERE x < 5) SELECT n.x, o.status FROM n LEFT JOIN orders o ON o.id = n.x ORDER BY 1",
    ),
    (
        "SELECT v.k, o.status, g.city FROM (VALUES (1), (2), (3)) v(k) JOIN orders o ON o.id = v.k JOIN gold.customers g ON g.id = v.k ORDER BY 1",
        "SELECT o.id::int, o.status, g.city FROM orders o JOIN customers g ON g.id = o.id WHERE o.id IN (1,2,3) ORDER BY 1",
    ),
    (
        "SELECT DISTINCT ON (g.city) g.city, o.id FROM orders o JOIN gold.customers g ON g.id = o.id ORDER BY g.city, o.id DESC",
        "SELECT city, max(id) FROM customers GROUP BY 1 ORDER BY 1",
    ),
    (
        "SELECT s.city, MEASURE(s.total) FROM sales s WHERE s.city IN (SELECT city FROM gold.customers WHERE id < 4) GROUP BY 1 ORDER BY 1",
        "SELECT c.city, sum(o.amount) FROM orders o JOIN customers c ON c.id=o.customer_id WHERE c.city IN (SELECT city FROM customers WHERE id < 4) GROUP BY 1 ORDER BY 1",
    ),
    (
        "SELECT id FROM gold.customers EXCEPT SELECT id FROM orders WHERE amount < 50 ORDER BY 1",
        "SELECT id FROM customers EXCEPT SELECT id FROM orders WHERE amount < 50 ORDER BY 1",
    ),
    (
        "SELECT o.status, g.status, count(*) FROM orders o JOIN gold.orders g ON o.id = g.id + 1 GROUP BY ROLLUP (1, 2) ORDER BY 1, 2, 3",
        "SELECT o.status, g.status, count(*) FROM orders o JOIN orders g ON o.id = g.id + 1 GROUP BY ROLLUP (o.status, g.status) ORDER BY 1, 2, 3",
    ),
    (
        "SELECT o.buyers FROM (SELECT MEASURE(buyers) AS buyers FROM orders) o JOIN gold.customers g ON g.id = o.buyers",
        "SELECT count(DISTINCT customer_id) FROM orders",
    ),
    (
        'SELECT "public"."orders"."status" AS "status", count(*) AS "count" FROM "public"."orders" INNER JOIN "gold"."customers" AS "Customers" ON "public"."orders"."id" = "Customers"."id" WHERE "Customers"."city" = \'Rome\' GROUP BY "public"."orders"."status" ORDER BY "public"."orders"."status" ASC',
        "SELECT o.status, count(*) FROM orders o JOIN customers c ON c.id = o.id WHERE city = 'Rome' GROUP BY 1 ORDER BY 1",
    ),
    (
        "TABLE gold.customers UNION ALL SELECT id, city FROM customers ORDER BY 1, 2 LIMIT 3",
        "SELECT id, city FROM (SELECT id, city FROM customers UNION ALL SELECT id, city FROM customers) ORDER BY 1,2 LIMIT 3",
    ),
]


WORDS = split(
    [
        *(text for text, _ in SAME),
        "SELECT t.city, MEASURE(c.count) FROM customers c JOIN till.cities t ON t.city = c.city GROUP BY 1 ORDER BY 1",
        "EXPLAIN SELECT city FROM till.main.cities WHERE people > 1 UNION SELECT city FROM customers LIMIT 2",
    ]
)


@pytest.mark.parametrize(("text", "plain"), SAME)
def test_rows_are_those_of_plain_sql_over_the_files(boss: Con, shop: Store, text: str, plain: str) -> None:
    assert boss.execute(text).fetchall() == shop.raw(plain)


def test_a_policy_holds_in_a_statement_with_tables(boss: Con, clerk: Con, shop: Store) -> None:
    text = "SELECT count(*) FROM orders o JOIN gold.customers c ON c.id = o.id"
    plain = "SELECT count(*) FROM orders o JOIN customers c ON c.id = o.id"
    assert boss.execute(text).fetchall() == shop.raw(plain)
    assert clerk.execute(text).fetchall() == shop.raw(f"{plain} WHERE o.status = 'new'")
    text = "SELECT count(*) FROM gold.customers WHERE id IN (SELECT id FROM orders)"
    assert boss.execute(text).fetchall() == shop.raw("SELECT count(*) FROM customers WHERE id IN (SELECT id FROM orders)")  # fmt: skip
    assert clerk.execute(text).fetchall() == shop.raw(
        "SELECT count(*) FROM customers WHERE id IN (SELECT id FROM orders WHERE status = 'new')"
    )


def told(con: Con, text: str) -> tuple[Any, ...]:
    """What is said of a statement, without names that are near."""
    with pytest.raises(psycopg.Error) as caught:
        con.execute(text)
    one = caught.value.diag
    assert not any("secret" in str(part) for part in (one.message_detail, one.message_hint))
    return one.sqlstate, str(one.message_primary).partition(" (did you mean")[0], one.statement_position


@pytest.mark.parametrize(
    ("text", "hidden", "unknown"),
    [
        ("SELECT o.{} FROM orders o JOIN gold.customers c ON c.id = o.id", "secret", "sicret"),
        ("SELECT MEASURE(o.{}) FROM orders o JOIN gold.customers c ON c.id = o.id", "margin", "mirgin"),
        ("SELECT x.a FROM (SELECT {} AS a FROM orders) x, gold.customers", "secret", "sicret"),
        ("SELECT 1 FROM gold.customers c WHERE c.city IN (SELECT {} FROM orders)", "secret", "sicret"),
        ("SELECT 1 FROM {} s JOIN gold.customers c ON c.id = s.id", "salaries", "silaries"),
        ("EXPLAIN SELECT o.{} FROM orders o JOIN gold.customers c ON c.id = o.id", "secret", "sicret"),
    ],
)
def test_what_is_hidden_is_as_what_is_not_there(
    boss: Con, clerk: Con, text: str, hidden: str, unknown: str
) -> None:
    boss.execute(text.format(hidden))
    state, said, position = told(clerk, text.format(hidden))
    assert (state, said.replace(hidden, unknown), position) == told(clerk, text.format(unknown))


def test_who_may_not_read_the_lake_learns_nothing_of_it(running: Running) -> None:
    said = set()
    with connected(running, "guest") as con:
        assert con.execute("SELECT COUNT(*) FROM customers").fetchall() == [(40,)]
        for text in (
            "SELECT 1 FROM customers c JOIN gold.{} g ON g.id = c.id",
            "SELECT 1 FROM customers WHERE id IN (SELECT id FROM gold.{})",
            "SELECT id FROM customers UNION SELECT id FROM till.{}",
        ):
            for name in ("customers", "nothing"):
                state, words, _ = told(con, text.format(name))
                said.add((state, words.replace(name, "x").replace("till", "gold")))
    assert said == {("42P01", 'relation "gold.x" does not exist')}


def test_values_are_filled_in_on_both_sides(boss: Con, shop: Store) -> None:
    text = (
        "SELECT o.id, c.city FROM orders o JOIN gold.customers c ON c.id = o.id "
        "WHERE o.status = %s AND c.city <> %s AND o.amount > %s AND c.id < %s ORDER BY 1 LIMIT %s"
    )
    values = ["new", "O'Hare", Decimal("10.5"), 30, 4]
    expected = shop.raw(
        "SELECT o.id, c.city FROM orders o JOIN customers c ON c.id = o.id "
        "WHERE o.status = 'new' AND c.city <> 'O''Hare' AND o.amount > 10.5 AND c.id < 30 ORDER BY 1 LIMIT 4"
    )
    assert expected
    assert boss.execute(text, values).fetchall() == expected
    assert boss.execute(text, values, prepare=True).fetchall() == expected
    assert boss.execute(text, values, binary=True).fetchall() == expected


def test_errors_have_their_code_and_place(boss: Con) -> None:
    for text, state, position in (
        ("SELECT nope FROM orders o JOIN gold.customers c ON c.id = o.id", "42703", 8),
        ("SELECT c.nope FROM orders o JOIN gold.customers c ON c.id = o.id", "42703", 8),
        ("SELECT id FROM orders o JOIN gold.customers c ON c.id = o.id", "42702", 8),
        ("SELECT 1 FROM orders o JOIN gold.nothing c ON c.id = o.id", "42P01", 29),
        ("SELECT 1 FROM orders o JOIN gold.customers o ON true", "42712", None),
        (
            "SELECT 1 FROM gold.customers c JOIN gold..orders o ON true JOIN customers d ON true",
            "42601",
            None,
        ),
        ("SELECT 1 JOIN gold.customers c ON true UNION SELECT id FROM orders", "42601", None),
        ("SELECT (SELECT id FROM orders WHERE id < c.id) FROM gold.customers c", "21000", None),
        ("SELECT c.id, count(*) FROM orders o JOIN gold.customers c ON c.id = o.id", "42803", None),
        ("SELECT c.id / 0 FROM orders o JOIN gold.customers c ON c.id = o.id", "22012", None),
        ("SELECT 1 FROM orders o JOIN gold.customers c ON c.id = o.id, pg_class", "0A000", None),
    ):
        with pytest.raises(psycopg.Error) as caught:
            boss.execute(text)
        assert caught.value.diag.sqlstate == state, text
        if position is not None:
            assert caught.value.diag.statement_position == str(position), text


def test_an_explain_shows_both_parts(boss: Con, clerk: Con) -> None:
    text = "EXPLAIN {} SELECT count(*) FROM orders o JOIN gold.customers c ON c.id = o.id JOIN till.cities t USING (city)"

    def lines(con: Con, options: str = "") -> str:
        return "\n".join(row[0] for row in con.execute(text.format(options)).fetchall())

    said = lines(boss)
    assert "Question 1" in said
    assert "Dimensions: orders.id" in said
    assert "Tables Beside: gold.customers" in said
    assert "Databases: till" in said
    assert "Cache: never kept: it reads databases" in said
    assert '"till"."main"."cities"' in said
    assert "till.db" not in said
    assert "rows=1" in lines(boss, "ANALYZE")
    said = lines(clerk)
    assert "Policy: rows are limited to those that you may see" in said
    assert "SQL: not shown" in said


def test_databases_beside_the_lake_are_read_with_cubes(boss: Con, clerk: Con, shop: Store) -> None:
    text = (
        "SELECT t.city, t.people, MEASURE(c.count), max(g.id) FROM customers c JOIN till.cities t ON t.city = c.city "
        "JOIN gold.customers g ON g.id = c.id GROUP BY 1, 2 ORDER BY 1"
    )
    plain = (
        "SELECT c.city, CASE c.city WHEN 'Rome' THEN 3 ELSE 1 END, count(*), max(id) FROM customers c "
        "WHERE c.city IN ('Rome', 'Oslo') GROUP BY 1 ORDER BY 1"
    )
    assert boss.execute(text).fetchall() == shop.raw(plain) == clerk.execute(text).fetchall()
    text = (
        "SELECT DISTINCT till.main.cities.people FROM till.main.cities JOIN public.customers "
        "ON public.customers.city = till.main.cities.city ORDER BY till.main.cities.people"
    )
    assert boss.execute(text).fetchall() == [(1,), (3,)]
    text = "SELECT count(*) FROM orders WHERE status IN (SELECT city FROM till.cities) OR id IN (SELECT people FROM till.main.cities)"
    assert boss.execute(text).fetchall() == [(3,)]
    assert clerk.execute(text).fetchall() == shop.raw(
        "SELECT count(*) FROM orders WHERE id IN (3, 1, 9) AND status = 'new'"
    )
    asked = (
        "SELECT t.city FROM till.cities t WHERE t.people > %s UNION SELECT city FROM customers WHERE id = %s"
    )
    assert sorted(boss.execute(asked, [5, 1]).fetchall()) == sorted(
        [("Turku",), *shop.raw("SELECT city FROM customers WHERE id = 1")]
    )


def test_nothing_that_reads_a_database_is_kept(boss: Con, shop: Store) -> None:
    text = "SELECT sum(t.people) FROM till.cities t JOIN (SELECT DISTINCT city FROM customers) c ON c.city = t.city"
    assert boss.execute(text, prepare=True).fetchall() == [(4,)]
    with sqlite3.connect(shop.files / "project" / "till.db") as con:
        con.execute("UPDATE cities SET people = people + 10 WHERE city = 'Rome'")
    con.close()
    try:
        assert boss.execute(text, prepare=True).fetchall() == [(14,)]
        assert boss.execute(text).fetchall() == [(14,)]
    finally:
        with sqlite3.connect(shop.files / "project" / "till.db") as con:
            con.execute("UPDATE cities SET people = people - 10 WHERE city = 'Rome'")
        con.close()


def test_kept_answers_are_those_of_the_refs_tables(tmp_path: Path) -> None:
    text = "SELECT count(*), max(g.amount) FROM customers c JOIN gold.orders g ON g.customer_id = c.id"
    explained = f"EXPLAIN {text}"
    with (
        store(tmp_path, orders=50) as fresh,
        mixing(fresh) as running,
        connected(running) as con,
        connected(running, database="shop@dev") as dev,
    ):

        def cache(one: Con) -> str:
            (line,) = [row[0] for row in one.execute(explained).fetchall() if "Cache" in row[0]]
            return str(line).strip()

        before = con.execute(text).fetchall()
        assert before == fresh.raw(text.replace("gold.", ""))
        assert cache(con) == "Cache: kept"
        assert cache(dev) == "Cache: not yet kept"
        assert dev.execute(text).fetchall() == [(51, Decimal("1000.00"))]
        fresh.add("main", "2000.00")
        assert cache(con) == "Cache: not yet kept"
        assert con.execute(text).fetchall() == [(51, Decimal("2000.00"))]
        assert dev.execute(text).fetchall() == [(51, Decimal("1000.00"))]
        con.execute("SET ingot.ref = 'dev'")
        assert con.execute(text).fetchall() == [(51, Decimal("1000.00"))]


def test_a_table_with_other_types_is_told_so(tmp_path: Path) -> None:
    text = "SELECT g.tag, o.id FROM orders o JOIN gold.tags g ON g.id = o.id"
    with store(tmp_path, orders=5) as fresh, mixing(fresh) as running, connected(running) as con:

        def tagged(tag: str) -> None:
            with connect() as writer:
                made = fresh.lake.stage(writer, "gold.tags", f"SELECT 3 AS id, {tag} AS tag", on="main")
                fresh.lake.commit("main", [made], message="tags")

        tagged("7")
        assert con.execute(text).fetchall() == [(7, 3)]
        assert con.execute(text, prepare=True).fetchall() == [(7, 3)]
        assert con.execute(f"{text} AND o.id < %s", [9], prepare=True).fetchall() == [(7, 3)]
        tagged("'seven'")
        assert con.execute(text, prepare=False).fetchall() == [("seven", 3)]
        for parameters in ([], [9]):
            with pytest.raises(psycopg.errors.FeatureNotSupported) as caught:
                con.execute(f"{text} AND o.id < %s" if parameters else text, parameters or None, prepare=True)
            assert "cached plan must not change result type" in str(caught.value)


def test_the_search_path_says_what_a_bare_name_is(running: Running, shop: Store) -> None:
    text = "SELECT count(*) FROM customers c JOIN orders o ON o.customer_id = c.id"
    with connected(running) as con:
        con.execute("SET search_path = gold")
        assert con.execute(text).fetchall() == shop.raw(text)
        con.execute("SET search_path = gold, public")
        assert con.execute(f"{text} JOIN sales s ON s.city = c.city WHERE c.id = 7 AND o.id = 5").fetchall() == (
            shop.raw(f"{text} JOIN (SELECT city FROM orders JOIN customers ON customers.id = customer_id) s "
                     "ON s.city = c.city WHERE c.id = 7 AND o.id = 5")
        )  # fmt: skip


@pytest.mark.slow
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(sql=statements(WORDS))
def test_any_statement_is_answered_or_refused(clerk: Con, sql: str) -> None:
    clerk.execute("SET statement_timeout = '2s'")
    try:
        clerk.execute(sql.encode()).close()
    except psycopg.Error as error:
        state, said = error.diag.sqlstate, str(error.diag.message_primary) + str(error.diag.message_hint)
        assert state not in (None, "XX000"), said
        for word in (
            "Error:",
            "LINE 1",
            "DESCRIBE",
            ".parquet",
            "till.db",
            "secret",
            "salaries",
            "#question",
        ):
            assert word not in said


@pytest.mark.slow
@pytest.mark.parametrize("table", ["gold.orders", "till.cities"])
def test_a_cancel_stops_it(running: Running, table: str) -> None:
    many = ", ".join(f"gold.orders g{n}" for n in range(6))
    text = f"SELECT count(*) FROM orders o, {table} t, {many} WHERE o.id + g0.id * g5.id = -1"
    with connected(running) as con:
        assert until_cancelled(con, text) < 1
        assert con.execute("SELECT COUNT(*) FROM customers").fetchall() == [(40,)]


def test_types_of_parameters_are_what_they_stand_beside(running: Running) -> None:
    """Nobody else says them: PostgreSQL knows no names of three parts."""
    text = (
        "SELECT o.id FROM orders o JOIN till.main.cities t ON o.id < $1 AND t.people > $2 JOIN gold.orders g ON g.id = o.id "
        "WHERE g.amount > $3 AND g.created_at >= $4 AND o.status = $5 AND $6::date IS NOT NULL LIMIT $7"
    )

    async def described() -> tuple[list[str], list[str]]:
        con = await asyncpg.connect(
            host="127.0.0.1", port=running.port, user="boss", database="shop", ssl=False
        )
        try:
            made = await con.prepare(text)
            return [one.name for one in made.get_parameters()], [
                one.type.name for one in made.get_attributes()
            ]
        finally:
            await con.close()

    parameters, columns = asyncio.run(described())
    assert parameters == ["int8", "int8", "numeric", "timestamp", "text", "date", "int8"]
    assert columns == ["int8"]
