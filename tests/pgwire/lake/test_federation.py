"""The lake, a PostgreSQL and files of databases in one statement: right, read only, and each stops alone."""

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import psycopg
import pytest

from ingot.errors import IngotError
from ingot.pgwire.federation_shown import DatabaseTables
from ingot.pgwire.sqlstates import sqlstate
from tests.pgwire.lake.shop import Shop, answered, opened, sqlite

pytestmark = pytest.mark.slow

PASSWORD = "p4ss w'ord"
URL = "${CRM_URL}"


@pytest.fixture(scope="module")
def crm(postgres: str) -> str:
    """The address of the PostgreSQL for a user with a password who may write."""
    with psycopg.connect(postgres, autocommit=True) as con:
        con.execute("CREATE ROLE reader LOGIN PASSWORD 'p4ss w''ord'")
        con.execute("GRANT pg_read_all_data, pg_write_all_data TO reader")
        con.execute(
            "CREATE TABLE public.people (id int PRIMARY KEY, name text, country varchar(2), born date)"
        )
        con.execute(
            "INSERT INTO public.people SELECT n, 'person ' || n, CASE n % 3 WHEN 0 THEN 'de' WHEN 1 THEN 'fr' END, "
            "date '1990-01-01' + n FROM generate_series(1, 1000) n"
        )
        con.execute("CREATE VIEW public.slow AS SELECT pg_sleep(30)::text AS slept, 1 AS one")
        con.execute(
            "CREATE FUNCTION grab() RETURNS int LANGUAGE sql AS 'DELETE FROM public.people RETURNING 1'"
        )
        con.execute("CREATE VIEW public.grabbing AS SELECT grab() AS one")
        con.execute("CREATE SCHEMA hidden")
        con.execute("CREATE TABLE hidden.salaries AS SELECT 1 AS id")
    host = postgres.rpartition("@")[2]
    return f"postgresql://reader:p4ss%20w%27ord@{host}"


@pytest.fixture(scope="module")
def shop(crm: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("federated")
    sqlite(folder / "till.db")
    with duckdb.connect(folder / "plans.duckdb") as con:
        con.execute("CREATE SCHEMA y26")
        con.execute("CREATE TABLE y26.plan AS SELECT 10 AS customer_id, 30 AS goal UNION ALL SELECT 11, 90")
    sources = {
        "crm": "connector: postgres\nurl: ${CRM_URL}\nattach: true\nschemas: [public, gold]\n",
        "till": f"connector: sqlite\npath: {folder}/till.db\nattach: true\n",
        "plans": f"connector: duckdb\npath: {folder}/plans.duckdb\nattach: true\n",
        "shut": f"connector: sqlite\npath: {folder}/till.db\n",
        "gone": f"connector: sqlite\npath: {folder}/gone.db\nattach: true\n",
        "down": "connector: postgres\nurl: ${DOWN_URL}\nattach: true\n",
    }
    with opened(folder / "shop", sources, CRM_URL=crm, DOWN_URL="postgresql://me:hush@127.0.0.1:1/x") as made:
        yield made


def test_three_databases_are_joined_in_one_statement(shop: Shop) -> None:
    """Lake ⋈ PostgreSQL ⋈ SQLite; the numbers are the rows of `shop.TABLES`, counted by hand."""
    found = shop.ask(
        "SELECT p.name, t.name, sum(o.amount) FROM gold.orders o JOIN crm.public.people p ON p.id = o.customer_id "
        "JOIN till.main.customers t ON t.id = o.customer_id WHERE p.id BETWEEN 10 AND 11 GROUP BY 1, 2 ORDER BY 1"
    )
    assert found == [("person 10", "ann", "24.90"), ("person 11", "bob", "100.00")]


@pytest.mark.parametrize(
    "order", ["id DESC", "country DESC, id", "country, id DESC", "country NULLS FIRST, id", "name"]
)
def test_a_sort_with_a_limit_misses_no_rows(shop: Shop, postgres: str, order: str) -> None:
    sql = f"SELECT id, country FROM {{}} ORDER BY {order} LIMIT 400 OFFSET 5"
    with psycopg.connect(postgres) as con:
        expected = con.execute(sql.format("public.people").replace("name", 'name COLLATE "C"')).fetchall()
    found = shop.ask(sql.format("crm.people"))
    assert found == [(str(number), country) for number, country in expected]


def test_a_file_of_duckdb_is_one_more(shop: Shop) -> None:
    found = shop.ask(
        "SELECT p.customer_id, p.goal, sum(o.qty) FROM plans.y26.plan p JOIN gold.orders o USING (customer_id) "
        "GROUP BY 1, 2 ORDER BY 1"
    )
    assert found == [("10", "30", "10"), ("11", "90", "-7")]


def test_the_lake_is_read_at_the_ref_and_databases_as_they_are(shop: Shop) -> None:
    sql = "SELECT count(*) FROM gold.orders o JOIN till.main.customers t ON t.id = o.customer_id"
    assert (shop.ask(sql), shop.ask(sql, "dev")) == ([("3",)], [("4",)])


@pytest.mark.parametrize(
    "name", ["till.customers", '"till.main".customers', "till.main.CUSTOMERS", '"till"."main"."customers"']
)
def test_the_names_that_tools_write_are_understood(shop: Shop, name: str) -> None:
    assert shop.ask(f"SELECT count(*) FROM {name}") == [("3",)]


def test_views_of_the_lake_are_joined_with_databases(shop: Shop) -> None:
    for _ in range(2):
        assert shop.ask("SELECT count(*) FROM gold.big b, till.customers t") == [("6",)]
        assert shop.ask("SELECT count(*) FROM gold.big b, gold.orders o, till.customers t") == [("30",)]
        assert shop.ask("SELECT count(*) FROM raw.customers b, till.customers t", "dev") == [("9",)]


def test_one_table_gives_its_own_columns(shop: Shop) -> None:
    assert shop.names("SELECT * FROM crm.public.people LIMIT 1") == ["id", "name", "country", "born"]
    assert shop.ask("SELECT * FROM crm.people ORDER BY id DESC LIMIT 1") == [
        ("1000", "person 1000", "fr", "1992-09-27")
    ]
    assert shop.ask("SELECT * FROM till.countries ORDER BY 1") == [("de",), ("fr",)]


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO crm.public.people (id) VALUES (5000)",
        "DELETE FROM till.main.customers",
        "WITH x AS (DELETE FROM crm.public.people RETURNING id) SELECT * FROM x",
        "SELECT * FROM postgres_query('crm', 'DELETE FROM people RETURNING 1')",
        "SELECT * FROM postgres_execute('crm', 'DELETE FROM people')",
        "CALL postgres_execute('crm', 'DELETE FROM people')",
        "SELECT * FROM sqlite_query('till', 'DELETE FROM customers')",
        "SELECT * FROM sqlite_scan('/etc/passwd', 'x')",
        "SELECT * FROM postgres_scan('host=127.0.0.1', 'public', 'people')",
        "ATTACH '/tmp/other.db' AS other (TYPE sqlite)",
        "DETACH crm",
        "SELECT * FROM crm.public.people; SELECT 1",
        "SELECT * FROM crm.pg_catalog.pg_authid",
        "SELECT * FROM crm.information_schema.tables",
        "SELECT * FROM crm.hidden.salaries",
        "SELECT * FROM shut.main.customers",
        "SELECT * FROM till.main.sqlite_master",
        'SELECT * FROM till.main."/etc/passwd"',
        "SELECT * FROM duckdb_secrets(), crm.people",
        "SELECT current_setting('pg_connection_limit') FROM crm.people",
    ],
)
def test_nothing_but_selects_over_open_tables_gets_through(shop: Shop, sql: str) -> None:
    with pytest.raises(IngotError) as wrong:
        shop.ask(sql)
    assert "p4ss" not in str(wrong.value)
    assert shop.ask("SELECT count(*) FROM crm.people") == [("1000",)]
    assert shop.ask("SELECT count(*) FROM till.customers") == [("3",)]


def test_the_connection_itself_cannot_write(shop: Shop) -> None:
    """Past our parser, and past DuckDB's: what the servers say."""
    assert shop.reader.federation is not None
    with (
        pytest.raises(IngotError, match="read-only"),
        shop.reader.federation.session(frozenset({"crm"})) as cursor,
    ):
        cursor.execute("CALL postgres_execute('crm', 'DELETE FROM people')")
    with pytest.raises(IngotError, match="read-only"):
        shop.ask("SELECT * FROM crm.public.grabbing")
    for statement in (
        "INSERT INTO crm.public.people (id) VALUES (5000)", "DELETE FROM till.main.customers", "DELETE FROM plans.y26.plan",
    ):  # fmt: skip
        with (
            pytest.raises(IngotError, match="read-only"),
            shop.reader.federation.session(frozenset({"crm", "till", "plans"})) as cursor,
        ):
            cursor.execute(statement)
    with (
        pytest.raises(IngotError),
        shop.reader.federation.session(frozenset({"crm"})) as cursor,
    ):
        cursor.execute("SELECT * FROM read_csv('/etc/passwd')")
    assert shop.ask("SELECT count(*) FROM crm.people") == [("1000",)]


def test_filters_columns_and_limits_reach_the_server(shop: Shop, postgres: str) -> None:
    with psycopg.connect(postgres, autocommit=True) as con:
        con.execute("ALTER SYSTEM SET log_statement = 'all'")
        con.execute("SELECT pg_reload_conf()")
        where = con.execute("SELECT setting FROM pg_settings WHERE name = 'data_directory'").fetchone()
    assert where is not None
    log = Path(where[0]).parent / "log"
    time.sleep(0.2)
    before = len(log.read_text())
    shop.ask(
        "SELECT name FROM crm.people WHERE country = 'de' AND born > date '1992-01-01' AND id IN (3, 999, 996)"
    )
    shop.ask("SELECT id FROM crm.people LIMIT 3")
    sent = [line for line in log.read_text()[before:].splitlines() if "COPY" in line]
    assert "\"country\" = 'de'" in sent[0]
    assert "\"born\" > '1992-01-01'" in sent[0]
    assert '"id" IN' in sent[0]
    assert '"name"' in sent[0]
    assert "LIMIT 3" in sent[1]
    assert '"name"' not in sent[1]


@pytest.mark.parametrize(
    ("name", "said"), [("gone", "its file is not there"), ("down", "the connection was refused")]
)
def test_a_database_that_is_down_is_one_error_and_no_secret(shop: Shop, name: str, said: str) -> None:
    with pytest.raises(IngotError) as wrong:
        shop.ask(f"SELECT * FROM {name}.main.customers")
    assert sqlstate(wrong.value) == "HV00N"
    assert str(wrong.value) == f"The database '{name}' cannot be read: {said}."
    assert shop.ask("SELECT count(*) FROM gold.orders, till.customers") == [("15",)]


def test_a_wrong_password_is_not_told(tmp_path: Path, postgres: str) -> None:
    host = postgres.rpartition("@")[2].rpartition("/")[0]
    source = {"crm": "connector: postgres\nurl: ${CRM_URL}\nattach: true\n"}
    with opened(tmp_path / "shop", source, CRM_URL=f"postgresql://nobody:hush-hush@{host}/postgres") as shop:
        with pytest.raises(IngotError) as wrong:
            shop.ask("SELECT * FROM crm.people")
        assert str(wrong.value) == "The database 'crm' cannot be read: it does not accept the login."


def test_a_database_is_read_again_after_its_connections_broke(shop: Shop, postgres: str) -> None:
    assert shop.ask("SELECT count(*) FROM crm.people") == [("1000",)]
    with psycopg.connect(postgres, autocommit=True) as con:
        killed = con.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'reader'"
        ).fetchone()
    assert killed is not None
    assert killed[0] > 0
    assert shop.ask("SELECT count(*) FROM crm.people") == [("1000",)]


def test_a_new_table_and_a_new_column_are_seen(shop: Shop, postgres: str) -> None:
    with psycopg.connect(postgres, autocommit=True) as con:
        con.execute("CREATE TABLE public.fresh AS SELECT 1 AS a")
        assert shop.ask("SELECT * FROM crm.fresh") == [("1",)]
        con.execute("ALTER TABLE public.fresh ADD COLUMN b text DEFAULT 'x'")
        assert shop.ask("SELECT * FROM crm.fresh") == [("1", "x")]
        con.execute("DROP TABLE public.fresh")
    with pytest.raises(IngotError) as wrong:
        shop.ask("SELECT * FROM crm.fresh")
    assert sqlstate(wrong.value) == "42P01"


def test_a_slow_database_is_stopped_at_once_and_on_the_server_too(shop: Shop, postgres: str) -> None:
    async def ask() -> tuple[float, str]:
        source = shop.source()
        statement = await source.prepare(
            "SELECT o.id, s.one FROM crm.slow s, gold.orders o WHERE s.slept IS NOT NULL"
        )
        loop = asyncio.get_running_loop()

        async def whole() -> None:
            rows = await statement.run((), ())
            while await rows.fetch(0) is not None:
                pass

        task = asyncio.ensure_future(whole())
        await asyncio.sleep(1.0)
        began = loop.time()
        source.cancel()
        with pytest.raises(IngotError) as stopped:
            await task
        took = loop.time() - began
        return took, sqlstate(stopped.value)

    took, code = asyncio.run(ask())
    assert code == "57014"
    assert took < 0.1
    until = time.monotonic() + 5
    with psycopg.connect(postgres, autocommit=True) as con:
        while time.monotonic() < until:
            left = con.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%slow%' "
                "AND pid <> pg_backend_pid()"
            ).fetchone()
            if left == (0,):
                return
            time.sleep(0.05)
    pytest.fail("the server still sleeps")


def test_ten_sessions_at_once(shop: Shop) -> None:
    sql = "SELECT count(*) FROM gold.orders o JOIN crm.people p ON p.id = o.customer_id JOIN till.customers t ON t.id = p.id"

    async def ask() -> list[list[tuple[str | None, ...]]]:
        sources = [shop.source("main" if n % 2 else "dev") for n in range(10)]
        return [rows for _, rows in await asyncio.gather(*(answered(one, sql) for one in sources))]

    assert asyncio.run(ask()) == [[("3",)] if n % 2 else [("4",)] for n in range(10)]


def test_more_statements_than_can_be_are_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingot.engines.duckdb.attached._MOST", 1)
    source = {"till": f"connector: sqlite\npath: {sqlite(tmp_path / 'till.db')}\nattach: true\n"}
    with opened(tmp_path / "shop", source) as shop:
        assert shop.reader.federation is not None
        with shop.reader.federation.session(frozenset({"till"})):
            with pytest.raises(IngotError) as wrong:
                shop.ask("SELECT count(*) FROM till.customers")
            assert sqlstate(wrong.value) == "53300"
            assert shop.ask("SELECT count(*) FROM gold.orders") == [("5",)]
        assert shop.ask("SELECT count(*) FROM till.customers") == [("3",)]


def test_a_file_that_is_written_meanwhile_can_be_read(shop: Shop, tmp_path: Path) -> None:
    path = sqlite(tmp_path / "till.db")
    source = {"till": f"connector: sqlite\npath: {path}\nattach: true\n"}
    with opened(tmp_path / "other", source) as other, sqlite3.connect(path) as con:
        assert other.ask("SELECT count(*) FROM till.customers") == [("3",)]
        con.execute("INSERT INTO customers VALUES (99, 'zoe', 'it', 'Zoe Z')")
        con.commit()
        assert other.ask("SELECT count(*) FROM till.customers") == [("4",)]
    con.close()


def test_who_may_not_read_the_lake_may_not_read_databases(shop: Shop) -> None:
    with pytest.raises(IngotError) as wrong:
        shop.ask("SELECT * FROM crm.people", lake=False)
    assert sqlstate(wrong.value) == "42501"


def test_explain_shows_what_reaches_the_database(shop: Shop, crm: str) -> None:
    sql = "SELECT p.name FROM crm.people p JOIN till.customers t ON t.id = p.id WHERE p.country = 'de' AND t.name = 'ann'"
    lines = [str(line) for (line,) in shop.ask(f"EXPLAIN {sql}")]
    at = next(n for n, line in enumerate(lines) if "Postgres Scan on people" in line)
    assert any("Filters: country='de'" in line for line in lines[at : at + 4])
    assert "Databases: crm, till" in lines
    limited = [str(line).strip() for (line,) in shop.ask("EXPLAIN SELECT id FROM crm.people LIMIT 3")]
    assert "Limit: 3" in limited
    for asked in (
        f"EXPLAIN {sql}",
        f"EXPLAIN ANALYZE {sql}",
        f"EXPLAIN (FORMAT JSON) {sql}",
        f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}",
    ):
        text = "\n".join(str(line) for (line,) in shop.ask(asked))
        for secret in ("p4ss", crm, "till.db", str(shop.lake.warehouse).removeprefix("file://"), "127.0.0.1"):
            assert secret not in text


def test_databases_are_catalogs(shop: Shop) -> None:
    assert shop.ask("SHOW CATALOGS") == [
        (one,) for one in ("lake", "model", "crm", "down", "gone", "plans", "till")
    ]
    assert shop.ask("SHOW SCHEMAS FROM crm") == [("gold",), ("public",)]
    assert shop.ask("SHOW TABLES FROM crm.gold") == [("orders",)]
    assert shop.ask("SHOW TABLES FROM till") == [
        ("main.countries",),
        ("main.customers",),
        ("main.events",),
        ("main.orders",),
    ]
    for sql, state in (
        ("SHOW TABLES FROM crm.hidden", "3F000"),
        ("SHOW SCHEMAS FROM shut", "3D000"),
        ("SHOW SCHEMAS FROM down", "HV00N"),
    ):
        with pytest.raises(IngotError) as wrong:
            shop.ask(sql)
        assert sqlstate(wrong.value) == state


def test_all_that_may_be_read_is_listed(shop: Shop, postgres: str) -> None:
    with psycopg.connect(postgres, autocommit=True) as con:
        con.execute("CREATE SCHEMA kinds")
        con.execute("CREATE MATERIALIZED VIEW public.stored AS SELECT 1 AS a")
        con.execute("CREATE TABLE public.parted (id int) PARTITION BY RANGE (id)")
        try:
            found = {name for (name,) in shop.ask("SHOW TABLES FROM crm.public")}
            assert {"people", "slow", "stored", "parted"} <= found
            assert shop.ask("SELECT * FROM crm.stored") == [("1",)]
        finally:
            con.execute("DROP TABLE public.parted")
            con.execute("DROP MATERIALIZED VIEW public.stored")
            con.execute("DROP SCHEMA kinds")


def test_no_secret_is_in_what_errors_and_objects_show(shop: Shop) -> None:
    assert shop.reader.federation is not None
    said = [repr(vars(shop.reader.federation)), repr(shop.reader)]
    for sql in (
        "SELECT nope FROM crm.people",
        "SELECT * FROM crm.nope",
        "SELECT name::date FROM crm.people",
        "SELECT 1/(id-id) FROM crm.people",
    ):
        with pytest.raises(IngotError) as wrong:
            shop.ask(sql)
        said.append(f"{wrong.value!r} {wrong.value} {wrong.value.__cause__!r}")
    assert "p4ss" not in " ".join(said)


def test_joins_of_every_type_give_what_the_server_gives(shop: Shop, postgres: str) -> None:
    """Keys of the smaller side become filters of the scan of the larger one, in the database's own language."""
    with psycopg.connect(postgres, autocommit=True) as con:
        con.execute(
            "CREATE TABLE public.wide AS SELECT n AS i, n::bigint AS b, (n / 7.0)::numeric(12,3) AS d, n * 0.5::float8 AS f, "
            "'k' || n AS t, date '2020-01-01' + n AS day, timestamp '2020-01-01' + n * interval '1 hour' AS at, "
            "n % 2 = 0 AS even, md5(n::text)::uuid AS u FROM generate_series(-50, 400) n"
        )
        for column in ("i", "b", "d", "f", "t", "day", "at", "u"):
            sql = (
                f"SELECT count(*), min(a.i), max(a.i) FROM {{0}} a JOIN {{0}} b ON a.{column} = b.{column} "
                f"WHERE b.i BETWEEN -7 AND 9 AND a.even"
            )
            expected = con.execute(sql.format("public.wide")).fetchone()
            assert expected is not None
            assert shop.ask(sql.format("crm.wide")) == [tuple(str(one) for one in expected)], column


def test_the_catalog_shows_tables_of_databases_as_schemas(shop: Shop, postgres: str) -> None:
    assert shop.reader.federation is not None
    listed = DatabaseTables(shop.reader.federation)
    listed.list()
    found = {(one.schema, one.name): [(col.name, col.type) for col in one.columns] for one in listed.tables}
    assert found["crm.public", "people"] == [
        ("id", "integer"),
        ("name", "text"),
        ("country", "text"),
        ("born", "date"),
    ]
    assert found["till.main", "countries"] == [("country", "text")]
    assert found["plans.y26", "plan"] == [("customer_id", "integer"), ("goal", "integer")]
    assert {schema for schema, _ in found} == {"crm.public", "crm.gold", "till.main", "plans.y26"}
    version = listed.version
    listed.list()
    assert listed.version == version
    with psycopg.connect(postgres, autocommit=True) as con:
        con.execute("CREATE TABLE public.later (a int)")
        listed.list()
        con.execute("DROP TABLE public.later")
    assert listed.version == version + 1
    assert any(one.name == "later" for one in listed.tables)
