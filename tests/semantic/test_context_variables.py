"""FILTER_PARAMS, SECURITY_CONTEXT and the other context variables: what they ask the database, and that no value becomes SQL."""

import contextlib
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingot.project import ProjectError
from ingot.semantic import Model, QueryError, compile_model
from ingot.semantic.compiler import calls
from ingot.semantic.context import Context
from ingot.semantic.planner.plan import plan
from ingot.semantic.query import parse
from tests.semantic import shop

ROWS = [
    (1, "done", "2026-01-01 00:00:00", 10, "acme"),
    (2, "new", "2026-01-31 23:59:59.9995", 20, "acme"),
    (3, "done", "2026-02-01 00:00:00", 40, "o'hare"),
    (4, None, "2026-03-05 12:00:00", 80, "acme"),
]


def orders(sql: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "name": "orders",
        **({"sql": sql} if sql else {"sql_table": "gold.orders"}),
        "dimensions": [
            shop.KEY,
            shop.dimension("status"),
            shop.dimension("day", "time"),
            shop.dimension("amount", "number"),
        ],
        "measures": [{"name": "count", "type": "count"}, {"name": "total", "type": "sum", "sql": "amount"}],
    } | more


def model(*cubes: dict[str, Any], views: list[dict[str, Any]] | None = None) -> Model:
    return shop.model(list(cubes), views or [])


def asked(
    made: Model, query: dict[str, Any], security: dict[str, Any] | None = None
) -> tuple[str, list[Any]]:
    """The SQL of a query and the rows that it finds."""
    found = plan(made, parse(query), context=Context(security or {}))
    with duckdb.connect() as con:
        con.execute("CREATE SCHEMA gold")
        con.execute(
            "CREATE TABLE gold.orders (id INT, status VARCHAR, day TIMESTAMP, amount INT, tenant VARCHAR)"
        )
        con.executemany("INSERT INTO gold.orders VALUES (?, ?, ?, ?, ?)", ROWS)
        return found.sql, con.execute(found.sql, list(found.parameters)).fetchall()


def total(made: Model, security: dict[str, Any] | None = None, **more: Any) -> Any:
    return asked(made, {"measures": ["orders.total"]} | more, security)[1][0][0]


def one(member: str, operator: str, *values: Any) -> dict[str, Any]:
    return {"member": member, "operator": operator, "values": list(values)}


# What the pushed filter alone lets through, seen from outside: the query's own WHERE is on another column.
PUSHED = "SELECT id, status AS s, day AS d, amount, NULL AS status, NULL AS day FROM gold.orders WHERE "


def pushed(condition: str, **query: Any) -> set[int]:
    """The rows that a cube's sql reads for a query, whose own filters are then taken off again."""
    made = model(orders(PUSHED + condition))
    found = plan(made, parse({"dimensions": ["orders.id"]} | query))
    inner = found.sql.split(') AS "orders"')[0].split("FROM (", 1)[1]
    with duckdb.connect() as con:
        con.execute("CREATE SCHEMA gold")
        con.execute(
            "CREATE TABLE gold.orders (id INT, status VARCHAR, day TIMESTAMP, amount INT, tenant VARCHAR)"
        )
        con.executemany("INSERT INTO gold.orders VALUES (?, ?, ?, ?, ?)", ROWS)
        used = [n for n in range(len(found.parameters), 0, -1) if f"${n}" in inner]
        values = list(found.parameters)[: used[0]] if used else []
        return {row[0] for row in con.execute(inner, values).fetchall()}


JANUARY = {"timeDimensions": [{"dimension": "orders.day", "dateRange": ["2026-01-01", "2026-01-31"]}]}


@pytest.mark.parametrize(
    ("condition", "query", "rows"),
    [
        ("{FILTER_PARAMS.orders.status.filter('status')}", {}, {1, 2, 3, 4}),
        ("{FILTER_PARAMS.orders.status.filter('status')}", {"filters": [one("orders.status", "equals", "done")]}, {1, 3}),
        ("{FILTER_PARAMS.orders.status.filter('status')}", {"filters": [one("orders.status", "notEquals", "done")]}, {2, 4}),
        ("{FILTER_PARAMS.orders.status.filter('status')}", {"filters": [one("orders.status", "notSet")]}, {4}),
        ("{FILTER_PARAMS.orders.status.filter('status')}", {"filters": [one("orders.amount", "gt", "5")]}, {1, 2, 3, 4}),
        ("{FILTER_PARAMS.orders.amount.filter('amount')}", {"filters": [one("orders.amount", "gte", "40")]}, {3, 4}),
        ("{FILTER_PARAMS.orders.day.filter('day')}", JANUARY, {1, 2}),
        ("${FILTER_PARAMS.orders.day.filter('day')}", JANUARY, {1, 2}),
        ("{FILTER_PARAMS.CUBE.day.filter('day')}", JANUARY, {1, 2}),
        ("NOT ({FILTER_PARAMS.orders.day.filter('day')})", JANUARY, {3, 4}),
        ('{FILTER_PARAMS.orders.day.filter(lambda x, y: f"day >= {x}::timestamp AND day <= {y}::timestamp")}', JANUARY, {1, 2}),
        ("${FILTER_PARAMS.orders.day.filter((x, y) => `day >= ${x} AND day <= ${y}`)}", JANUARY, {1, 2}),
        ('{FILTER_PARAMS.orders.day.filter(\n lambda x,\n  y: f"""day >= {x}""")}', JANUARY, {1, 2, 3, 4}),
        ("{FILTER_PARAMS.orders.status.filter(x => `status = ${x}`)}", {"filters": [one("orders.status", "equals", "done", "new")]}, {1, 2, 3}),
        # A function knows its values and not how they are compared: other operators hold outside only.
        ("{FILTER_PARAMS.orders.status.filter(x => `status = ${x}`)}", {"filters": [one("orders.status", "notEquals", "done")]}, {1, 2, 3, 4}),
        ("{FILTER_PARAMS.orders.status.filter(x => `status = ${x}`)}", {"filters": [one("orders.status", "equals", "done", None)]}, {1, 2, 3, 4}),
        # Two filters on one member hold both.
        ("{FILTER_PARAMS.orders.amount.filter('amount')}", {"filters": [one("orders.amount", "gt", "10"), one("orders.amount", "lt", "80")]}, {2, 3}),
        # What an OR says of another member cannot be left out of it.
        ("{FILTER_PARAMS.orders.status.filter('status')}", {"filters": [{"or": [one("orders.status", "equals", "new"), one("orders.amount", "gt", "50")]}]}, {1, 2, 3, 4}),
        ("{FILTER_PARAMS.orders.status.filter('status')}", {"filters": [{"or": [one("orders.status", "equals", "new"), one("orders.status", "notSet")]}]}, {2, 4}),
        ("{FILTER_GROUP(FILTER_PARAMS.orders.status.filter('status'), FILTER_PARAMS.orders.amount.filter('amount'))}", {"filters": [{"or": [one("orders.status", "equals", "new"), one("orders.amount", "gt", "50")]}]}, {2, 4}),
        ("{FILTER_GROUP(FILTER_PARAMS.orders.status.filter('status'), FILTER_PARAMS.orders.amount.filter('amount'))}", {"filters": [{"or": [{"and": [one("orders.status", "equals", "done"), one("orders.amount", "gt", "20")]}, one("orders.amount", "equals", "20")]}]}, {2, 3}),
        ("{FILTER_GROUP(FILTER_PARAMS.orders.status.filter('status'), FILTER_PARAMS.orders.amount.filter('amount'))}", {"filters": [one("orders.status", "equals", "done")]}, {1, 3}),
    ],
)  # fmt: skip
def test_the_filters_of_a_query_reach_the_sql_of_a_cube(
    condition: str, query: dict[str, Any], rows: set[int]
) -> None:
    assert pushed(condition, **query) == rows


def test_the_filter_still_holds_outside() -> None:
    made = model(
        orders(
            'SELECT * FROM gold.orders WHERE {FILTER_PARAMS.orders.status.filter(lambda x: f"status = {x}")}'
        )
    )
    assert total(made, filters=[one("orders.status", "equals", "done")]) == 50
    assert total(made, filters=[one("orders.status", "notEquals", "done")]) == 100


def test_a_filter_on_a_views_member_reaches_the_cube() -> None:
    view = {
        "name": "sales",
        "cubes": [
            {"join_path": "orders", "includes": [{"name": "total"}, {"name": "status", "alias": "state"}]}
        ],
    }
    for asks in ("orders.status", "sales.state"):
        made = model(
            orders(f"SELECT * FROM gold.orders WHERE {{FILTER_PARAMS.{asks}.filter('status')}}"), views=[view]
        )
        for member, measure in (("sales.state", "sales.total"), ("orders.status", "orders.total")):
            sql, rows = asked(made, {"measures": [measure], "filters": [one(member, "equals", "done")]})
            assert rows == [(50,)]
            assert sql.count("$1") == 2, sql


def test_filters_stand_in_members_and_joins_too() -> None:
    dimensions = [
        shop.KEY,
        shop.dimension("day", "time"),
        shop.dimension("status"),
        shop.dimension("chosen", "boolean", "{FILTER_PARAMS.orders.status.filter('{CUBE}.status')}"),
    ]
    made = model(orders(dimensions=dimensions))
    _, rows = asked(
        made,
        {"dimensions": ["orders.id", "orders.chosen"], "filters": [one("orders.status", "equals", "new")]},
    )
    assert rows == [(2, True)]
    _, rows = asked(made, {"dimensions": ["orders.id", "orders.chosen"]})
    assert rows == [(n, True) for n in (1, 2, 3, 4)]


def test_a_base_cubes_sql_is_read_by_another_cube() -> None:
    base = orders("SELECT * FROM gold.orders WHERE amount > 10", name="base")
    done = orders("SELECT * FROM {base.sql()} AS b WHERE b.status = 'done'")
    table = orders("SELECT * FROM {plain.sql()} WHERE amount = 80", name="four")
    plain = orders(name="plain")
    assert total(model(base, done)) == 40
    assert asked(model(plain, table), {"measures": ["four.total"]})[1] == [(80,)]


def test_a_time_is_converted_to_the_querys_zone() -> None:
    made = model(
        orders(
            dimensions=[
                shop.KEY,
                shop.dimension("hour", "number", "EXTRACT(HOUR FROM {SQL_UTILS.convertTz('{CUBE}.day')})"),
            ]
        )
    )
    query = {"dimensions": ["orders.id", "orders.hour"], "limit": 1}
    assert asked(made, query)[1] == [(1, 0)]
    assert asked(made, query | {"timezone": "Asia/Tokyo"})[1] == [(1, 9)]


SECURED = "SELECT * FROM gold.orders WHERE {SECURITY_CONTEXT.user.tenant.filter('tenant')}"


@pytest.mark.parametrize(
    ("condition", "security", "found"),
    [
        ("{SECURITY_CONTEXT.tenant.filter('tenant')}", {"tenant": "o'hare"}, 40),
        ("{SECURITY_CONTEXT.tenant.filter('tenant')}", {"tenant": ["o'hare", "acme"]}, 150),
        ("{SECURITY_CONTEXT.tenant.filter('tenant')}", {"tenant": []}, None),
        ("{SECURITY_CONTEXT.tenant.filter('tenant')}", {}, 150),
        ("{SECURITY_CONTEXT.user.tenant.filter('tenant')}", {"user": {"tenant": "acme"}}, 110),
        ("{SECURITY_CONTEXT.tenant.filter(lambda x: f'lower(tenant) = {x}')}", {"tenant": ["acme", "b"]}, 110),
        ("{SECURITY_CONTEXT.tenant.requiredFilter('tenant')}", {"tenant": "acme"}, 110),
        ("{securityContext.tenant.filter('tenant')}", {"tenant": "acme"}, 110),
        ("tenant = {SECURITY_CONTEXT.tenant.unsafeValue()}", {"tenant": "o'hare"}, 40),
        ("tenant = '{SECURITY_CONTEXT.tenant.unsafeValue()}'", {"tenant": "o'hare"}, 40),
        ("tenant LIKE 'o{SECURITY_CONTEXT.rest.unsafeValue()}e'", {"rest": "'har"}, 40),
        ("tenant IN ({SECURITY_CONTEXT.tenants.unsafeValue()})", {"tenants": ["acme", "o'hare"]}, 150),
        ("tenant IN ({SECURITY_CONTEXT.tenants.unsafeValue()})", {"tenants": []}, None),
        ("tenant = {SECURITY_CONTEXT.tenant.unsafeValue()}", {}, None),
        ("id = {SECURITY_CONTEXT.id.unsafeValue()}", {"id": 3}, 40),
        ("{SECURITY_CONTEXT.id.filter('id')}", {"id": 3}, 40),
        ("tenant = '{SECURITY_CONTEXT.tenant.unsafeValue()}'", {"tenant": "' OR 1=1 --"}, None),
        ("tenant = {SECURITY_CONTEXT.tenant.unsafeValue()}", {"tenant": "acme' OR '1'='1"}, None),
        ("{SECURITY_CONTEXT.tenant.filter('tenant')}", {"tenant": "x'); DROP TABLE gold.orders; --"}, None),
    ],
)  # fmt: skip
def test_who_asks_limits_what_is_read(condition: str, security: dict[str, Any], found: int | None) -> None:
    made = model(orders(f"SELECT * FROM gold.orders WHERE {condition}"))
    assert total(made, security) == found


def test_no_value_of_a_context_is_ever_sql() -> None:
    hostile = "zq' UNION SELECT 1 --"
    for condition in (
        "{SECURITY_CONTEXT.t.filter('tenant')}",
        "tenant = 'a{SECURITY_CONTEXT.t.unsafeValue()}'",
        "tenant IN ({SECURITY_CONTEXT.t.unsafeValue()})",
    ):
        made = model(orders(f"SELECT * FROM gold.orders WHERE {condition}"))
        found = plan(made, parse({"measures": ["orders.count"]}), context=Context({"t": hostile}))
        assert "zq" not in found.sql
        assert hostile in found.parameters


@pytest.mark.parametrize(
    ("condition", "security", "said"),
    [
        ("{SECURITY_CONTEXT.tenant.requiredFilter('tenant')}", {}, "'tenant' is required"),
        ("tenant = {SECURITY_CONTEXT.tenant.unsafeValue()}", {"tenant": ["a"]}, "is a list"),
        ("tenant = {SECURITY_CONTEXT.tenant.unsafeValue()}", {"tenant": {"a": 1}}, "not a single value"),
        ("{SECURITY_CONTEXT.tenant.filter('tenant')}", {"tenant": [["a"]]}, "not a text"),
        ("{SECURITY_CONTEXT.tenant.filter('tenant')}", {"tenant": "a\0"}, "not a text"),
    ],
)  # fmt: skip
def test_a_context_that_does_not_fit_is_refused(condition: str, security: dict[str, Any], said: str) -> None:
    made = model(orders(f"SELECT * FROM gold.orders WHERE {condition}"))
    with pytest.raises(QueryError, match=said):
        total(made, security)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT * FROM gold.orders WHERE {FILTER_PARAMS.orders.statsu.filter('status')}", "did you mean 'orders.status'"),
        ("SELECT * FROM gold.orders WHERE {FILTER_PARAMS.orders.total.filter('amount')}", "is a measure, not a dimension"),
        ("SELECT * FROM gold.orders WHERE {FILTER_PARAMS.orders.status}", "FILTER_PARAMS.cube.member.filter"),
        ("SELECT * FROM gold.orders WHERE {FILTER_PARAMS.orders.status.filter(open('x'))}", "a text of SQL is expected"),
        ("SELECT * FROM gold.orders WHERE {FILTER_PARAMS.orders.status.filter('status'", "never closed"),
        ("SELECT * FROM gold.orders WHERE {FILTER_PARAMS.orders.status.filter('status; DROP TABLE x')}", "not one SQL"),
        ("SELECT * FROM gold.orders WHERE {FILTER_PARAMS.orders.status.filter(lambda x: f\"status = '{x}'\")}", "leave out the quotes"),
        ("SELECT * FROM {SECURITY_CONTEXT.t.unsafeValue()}", "cannot be a table"),
        ("SELECT * FROM gold.{SECURITY_CONTEXT.t.unsafeValue()}", "cannot stand in this place"),
        ("SELECT id AS {SECURITY_CONTEXT.t.unsafeValue()} FROM gold.orders", "cannot stand in this place"),
        ("SELECT * FROM gold.orders WHERE {SECURITY_CONTEXT.t}", "SECURITY_CONTEXT.name.filter"),
        ("SELECT * FROM gold.orders WHERE {SQL_UTILS.now()}", "not a context variable"),
        ("SELECT * FROM {ordres.sql()}", "did you mean 'orders'"),
        ("SELECT * FROM {orders.sql()}", "made of itself"),
        ("SELECT * FROM gold.{COMPILE_CONTEXT.schema}", "no 'schema' in the COMPILE_CONTEXT"),
        ("SELECT * FROM gold.orders WHERE {status} = 1", "cannot stand in a cube's sql"),
    ],
)  # fmt: skip
def test_a_wrong_context_variable_is_a_mistake_in_the_model(sql: str, said: str) -> None:
    with pytest.raises(ProjectError) as caught:
        model(orders(sql))
    assert said in str(caught.value)


def test_a_calculation_over_measures_cannot_hold_a_filter() -> None:
    ratio = {
        "name": "r",
        "type": "number",
        "sql": "{total} * CASE WHEN {FILTER_PARAMS.orders.status.filter('1')} THEN 1 END",
    }
    with pytest.raises(ProjectError, match="put them in the measures"):
        model(orders(measures=[{"name": "total", "type": "sum", "sql": "amount"}, ratio]))


def test_the_compile_context_stands_in_names_and_texts() -> None:
    cube = orders(sql_table="{COMPILE_CONTEXT.security_context.schema}.orders_{COMPILE_CONTEXT.year}")
    cube["dimensions"] = [
        *cube["dimensions"],
        shop.dimension("tag", sql="'year {COMPILE_CONTEXT.year}'"),
        shop.dimension("n", "number", "{COMPILE_CONTEXT.year} + 1"),
    ]
    made = compile_model(shop.project([cube], []), compiled={"schema": 'go"ld', "year": 2026})
    assert made.cubes["orders"].tables == ('go"ld.orders_2026',)
    sql = plan(made, parse({"dimensions": ["orders.tag", "orders.n"]})).sql
    assert '"go""ld"."orders_2026"' in sql
    assert "'year 2026'" in sql
    assert "2026 + 1" in sql


PIECES = st.sampled_from(
    ["{", "}", "(", ")", "'", '"', "`", "${", "FILTER_PARAMS", "FILTER_GROUP", "SECURITY_CONTEXT", "COMPILE_CONTEXT", "SQL_UTILS",
     ".a", ".filter(", ".unsafeValue()", "lambda x: ", "(x, y) => ", 'f"', "{x}", ".sql()", ",", "\\d", " ", "\n", "\0", "*", "[0]"]
)  # fmt: skip


@given(st.lists(PIECES | st.text(max_size=3), max_size=30).map("".join))
def test_any_text_is_read_or_refused(text: str) -> None:
    for each in (text, "{FILTER_PARAMS" + text, "{SECURITY_CONTEXT.a.filter(" + text):
        with contextlib.suppress(calls.CallError):
            calls.replaced(each, lambda _: "x")


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=20))
def test_any_value_of_a_filter_is_compared_and_nothing_else(value: str) -> None:
    pushed_down = "{FILTER_PARAMS.orders.status.filter(lambda x: f'status = {x}')}"
    made = model(orders(f"SELECT * FROM gold.orders WHERE {pushed_down}"))
    if "\0" in value:
        with pytest.raises(QueryError, match="NUL"):
            total(made, filters=[one("orders.status", "equals", value)])
        return
    expected = sum(row[3] for row in ROWS if row[1] == value) or None
    assert total(made, filters=[one("orders.status", "equals", value)]) == expected


def test_a_backslash_in_sql_stays() -> None:
    column = r"""{FILTER_PARAMS.orders.status.filter("regexp_replace(status, '\d', '')")}"""
    made = model(orders(f"SELECT * FROM gold.orders WHERE {column}"))
    assert total(made, filters=[one("orders.status", "equals", "done")]) == 50
