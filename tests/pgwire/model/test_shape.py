"""Which tables a statement reads, and who answers it: statements as tools send them."""

import asyncio
import threading
from collections.abc import Mapping
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingot.pgwire.errors import PgError
from ingot.pgwire.ports import SessionInfo
from ingot.pgwire.route import Routed, Whose, schemas
from ingot.pgwire.shape import Shape, shape, shape_of, without_database
from ingot.semantic.context import ANYONE

TABLES = [
    ("select 1", ()),
    ("SELECT * FROM orders", (("orders",),)),
    ('select * from "Orders" AS o', (("Orders",),)),
    ("select * from ORDERS o, public.customers c where o.x = c.x", (("orders",), ("public", "customers"))),
    ("select a from x join y on x.i = y.i left join lateral (select * from z) q on true", (("x",), ("y",), ("z",))),
    ("with orders as (select * from orders) select * from orders", (("orders",),)),
    ("with a as (select 1), b (x) as (select * from a, t) select * from b, a", (("t",),)),
    ("with recursive r as (select 1 union all select * from r, t) select * from r", (("t",),)),
    ("with a as materialized (select * from t) select * from a", (("t",),)),
    ("select (with a as (select 1) select * from a), * from a", (("a",),)),
    ("select extract(year from d), substring(s from 2), trim(both 'x' from s) from t", (("t",),)),
    ("select a is distinct from b, c from t", (("t",),)),
    ("select * from (orders o cross join customers c)", (("orders",), ("customers",))),
    ("select * from ((select * from a) x join b on true), c", (("a",), ("b",), ("c",))),
    ("select * from generate_series(1, 3) g, pg_catalog.unnest(a) u, t", (("t",),)),
    ("select x from a union all (select y from b) except select z from c", (("a",), ("b",), ("c",))),
    ("table orders", (("orders",),)),
    ("values (1, 2), (3, 4)", ()),
    ("select '; from x', \"from\", $$ from y $$ /* from z */ from t -- from w", (("t",),)),
    ("select o.from, o.join from t o where exists (select 1 from u where u.a in (select b from v))", (("t",), ("u",), ("v",))),
    ('select * from "shop"."public"."orders"', (("shop", "public", "orders"),)),
    ("select count(*) filter (where x > 1) over (partition by a, b order by c), d from t, u", (("t",), ("u",))),
    ("select case when a then b end from only (t), u", (("t",), ("u",))),
    ("select cast(x as timestamp with time zone) from t", (("t",),)),
    ("", ()),
    ("select * from t limit 5 offset 2", (("t",),)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "tables"), TABLES)
def test_the_tables_of_a_statement_are_found_without_a_grammar(text: str, tables: Any) -> None:
    assert shape(text).tables == tables


@pytest.mark.parametrize(
    "text",
    [
        "select * into x from orders",
        "select * from orders for update",
        "select * from orders for no key update of orders",
        "with gone as (delete from orders returning *) select * from gone",
        "insert into orders values (1)",
        "update orders set id = 1",
        "create table x as select * from orders",
    ],
)
def test_what_would_write_is_no_query(text: str) -> None:
    assert not shape(text).reads


class _Model:
    """A model of two cubes, a view, and a cube that is called as tables of the catalog are."""

    names = ("orders", "customers", "sales", "tables", "pg_user", "Big")

    def has(self, name: str) -> bool:
        return name.casefold() in {one.casefold() for one in self.names}

    def faces(self) -> Any:
        return self.names


class _Tables:
    def has(self, schema: str, name: str) -> bool:
        return self.knows((schema, name))

    def knows(self, parts: tuple[str, ...]) -> bool:
        return parts in {("gold", "orders"), ("gold", "dim"), ("crm", "public", "deals")}


def routed(settings: Mapping[str, str] | None = None, *, lake: bool = True) -> Routed:
    info = SessionInfo("ann", "shop@dev", "dev", ANYONE, lake, settings or {"search_path": '"$user", public'})
    model: Any = _Model()
    tables: Any = _Tables()
    return Routed(info, model, None, tables)


CATALOG, MODEL, LAKE = Whose.CATALOG, Whose.MODEL, Whose.LAKE

TOOLS = [
    # psql
    ("SELECT n.nspname, c.relname FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relname OPERATOR(pg_catalog.~) '^(orders)$' COLLATE pg_catalog.default", CATALOG),
    ("SELECT d.datname FROM pg_catalog.pg_database d ORDER BY 1", CATALOG),
    ("select version()", CATALOG),
    ("table orders", MODEL),
    # Superset
    ('SELECT DATE_TRUNC(\'month\', created_at) AS created_at, status AS status, sum(total) AS "SUM(total)" FROM public.orders WHERE created_at >= TO_TIMESTAMP(\'2026-01-01 00:00:00.000000\', \'YYYY-MM-DD HH24:MI:SS.US\') GROUP BY DATE_TRUNC(\'month\', created_at), status ORDER BY "SUM(total)" DESC LIMIT 10000', MODEL),
    ("SELECT status AS status, COUNT(*) AS count FROM (SELECT * FROM sales) AS virtual_table GROUP BY status ORDER BY count DESC LIMIT 100", MODEL),
    # Metabase
    ('SELECT "source"."status" AS "status", SUM("source"."total") AS "sum" FROM (SELECT "public"."orders"."status" AS "status", "public"."orders"."total" AS "total" FROM "public"."orders") AS "source" GROUP BY "source"."status" ORDER BY "source"."status" ASC', MODEL),
    ("-- Metabase\nSELECT \"public\".\"orders\".\"id\" AS \"id\" FROM \"public\".\"orders\" LIMIT 1048575", MODEL),
    ("SELECT TRUE AS \"_\" FROM \"public\".\"orders\" WHERE 1 <> 1 LIMIT 0", MODEL),
    # Tableau
    ('SELECT "orders"."status" AS "status", SUM("orders"."total") AS "sum:total:ok" FROM "public"."orders" "orders" GROUP BY 1', MODEL),
    ('SELECT * FROM (SELECT * FROM "public"."orders") "TableauSQL" LIMIT 0', MODEL),
    ('BEGIN', CATALOG),
    ("select oid, typbasetype from pg_type where typtype = 'd' and typname like '%x%'", CATALOG),
    # Power BI
    ("select \"$Table\".\"status\" as \"status\" from \"public\".\"orders\" \"$Table\" limit 1000", MODEL),
    ('select "rows"."status" as "status", sum("rows"."total") as "a0" from "shop"."public"."orders" "rows" group by "status"', MODEL),
    ("select character_set_name from INFORMATION_SCHEMA.character_sets", CATALOG),
    ("select TABLE_CATALOG, TABLE_SCHEMA, TABLE_NAME from INFORMATION_SCHEMA.tables where TABLE_SCHEMA not in ('information_schema', 'pg_catalog')", CATALOG),
    # DBeaver
    ("SELECT x.* FROM public.orders x", MODEL),
    ("SHOW search_path", CATALOG),
    ("SELECT db.oid,db.* FROM pg_catalog.pg_database db WHERE datname='shop'", CATALOG),
    # Grafana
    ("SELECT created_at AS \"time\", total FROM orders WHERE created_at BETWEEN '2026-01-01T00:00:00Z' AND '2026-02-01T00:00:00Z' ORDER BY 1", MODEL),
    ("SELECT quote_ident(table_name) FROM information_schema.tables WHERE quote_ident(table_schema) NOT IN ('information_schema')", CATALOG),
    # JDBC and ODBC
    ("SELECT NULL AS TABLE_CAT, n.nspname AS TABLE_SCHEM, c.relname AS TABLE_NAME FROM pg_catalog.pg_namespace n, pg_catalog.pg_class c WHERE c.relnamespace = n.oid", CATALOG),
    ("select ta.attname, ia.attnum from pg_attribute ta, pg_attribute ia, pg_class c, pg_index i where c.relname = 'orders'", CATALOG),
    ("select * from pg_user", CATALOG),
    # the rest
    ("select * from public.pg_user", MODEL),
    ("select * from tables", MODEL),
    ("select * from information_schema.tables", CATALOG),
    ('select * from "Big"', MODEL),
    ("select * from gold.orders", LAKE),
    ("select * from gold.orders join gold.dim using (id)", LAKE),
    ("select * from crm.public.deals", LAKE),
    ("select * from gold.unknown", CATALOG),
    ("select * from unknown", CATALOG),
    ("select * from orders, unknown", CATALOG),
    ("select * from elsewhere.public.orders", CATALOG),
    ("with orders as (select 1 as a) select * from orders", CATALOG),
    ("insert into orders values (1)", CATALOG),
    ("select * from orders for update", CATALOG),
    ("show catalogs", LAKE),
]  # fmt: skip


@pytest.mark.parametrize(("text", "whose"), TOOLS)
def test_a_statement_of_a_tool_goes_to_whom_it_belongs(text: str, whose: Whose) -> None:
    assert routed().whose(shape(text)) is whose


def test_who_may_not_read_the_lake_finds_nothing_there() -> None:
    assert routed(lake=False).whose(shape("select * from gold.orders")) is CATALOG
    assert routed(lake=False).whose(shape("select * from orders, gold.orders")) is CATALOG


def test_the_search_path_says_where_a_bare_name_is() -> None:
    assert routed({"search_path": "gold"}).whose(shape("select * from orders")) is LAKE
    assert routed({"search_path": "gold, public"}).whose(shape("select * from orders")) is LAKE
    assert routed({"search_path": 'public, "gold"'}).whose(shape("select * from orders")) is MODEL
    assert routed({"search_path": "public"}).whose(shape("select * from dim")) is CATALOG
    assert routed({"search_path": "gold"}).whose(shape("select * from sales")) is CATALOG
    assert routed({"search_path": "public, pg_catalog"}).whose(shape("select * from pg_user")) is MODEL
    assert schemas('"$user", Public , "Odd One"') == ("public", "Odd One")


@pytest.mark.parametrize(
    "text",
    [
        "select * from orders o join pg_catalog.pg_class c on true",
        "select * from orders, gold.dim, pg_class",
        "select * from gold.dim where x in (select relname from pg_class)",
    ],
)
def test_data_of_different_places_is_not_mixed(text: str) -> None:
    with pytest.raises(PgError) as caught:
        routed().whose(shape(text))
    assert caught.value.sqlstate == "0A000"


@pytest.mark.parametrize(
    "text",
    [
        "select * from orders, gold.dim",
        "select * from orders o join crm.public.deals d on d.id = o.id",
        "with t as (select * from gold.dim) select * from t where x in (select id from public.customers)",
        "select 1 from orders union all select 2 from gold.dim",
    ],
)
def test_cubes_and_tables_are_read_together(text: str) -> None:
    assert routed().whose(shape(text)) is Whose.BOTH
    assert routed(lake=False).whose(shape(text)) is CATALOG


def test_an_explain_is_read_with_its_options() -> None:
    found = shape("explain (analyze, costs off, format json) select * from orders").explained
    assert found is not None
    assert (found.text, found.start, found.analyze, found.json) == ("select * from orders", 42, True, True)
    found = shape("EXPLAIN ANALYZE VERBOSE select 1").explained
    assert found is not None
    assert (found.text, found.analyze, found.json) == ("select 1", True, False)
    found = shape("explain (analyze false) (select 1)").explained
    assert found is not None
    assert (found.text, found.analyze) == ("(select 1)", False)
    found = shape("explain (nonsense) select 1").explained
    assert found is None or not found.analyze


def test_the_name_of_the_database_gives_way_and_nothing_moves() -> None:
    text = 'select "shop"."public"."orders"."id", shop.x from shop.public.orders'
    found = without_database(text, ("shop",))
    assert len(found) == len(text)
    assert found.split() == ["select", '"public"."orders"."id",', "shop.x", "from", "public.orders"]
    assert SimpleNamespace(text=found).text.index("shop.x") == text.index("shop.x")


def test_a_text_that_does_not_end_is_an_error_with_its_place() -> None:
    with pytest.raises(PgError) as caught:
        shape("select 'a")
    assert (caught.value.sqlstate, caught.value.position) == ("42601", 8)


WORDS = st.sampled_from(
    ["select", "from", "with", "as", "(", ")", ",", ".", "orders", "a", "recursive", "join", "table", "for", "update", "into", "values", "'x'", '"q"', "1", "$1", "--", "/*", "*/", "explain", "analyze", "lateral", "only", "on", "union", ";", "is", "distinct", "not", "extract", "delete", "show", "$$", "format", "json"]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(WORDS, max_size=30))
def test_no_text_is_too_odd_to_have_a_shape(words: list[str]) -> None:
    text = " ".join(words)
    try:
        found = shape(text)
    except PgError:  # a string or comment that does not end
        return
    assert all(part for name in found.tables for part in name)
    with suppress(PgError):
        assert routed().whose(found) in Whose


def test_a_long_text_keeps_nobody_else_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    where: list[int] = []

    def looked_at(text: str) -> Shape:
        where.append(threading.get_ident())
        return shape(text)

    monkeypatch.setattr("ingot.pgwire.shape.shape", looked_at)
    long = f"SELECT 1 FROM orders WHERE id IN ({', '.join(map(str, range(10_000)))})"
    assert (
        asyncio.run(shape_of(long))
        == asyncio.run(shape_of("SELECT 1 FROM orders"))
        == shape("SELECT 1 FROM orders")
    )
    assert [thread == threading.get_ident() for thread in where] == [False, True]
