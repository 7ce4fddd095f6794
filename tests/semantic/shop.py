"""A small shop as a semantic model and as Python rows: two facts over one dimension, and a to-many chain.

orders -> customers -> regions (many to one), orders -> items (one to many), items -> products (many to one),
tickets -> customers (many to one).
"""

from types import SimpleNamespace
from typing import Any

from ingot.project import Cube, View
from ingot.semantic import Model, compile_model

KEY = {"name": "id", "sql": "id", "type": "number", "primary_key": True}


def one(name: str, to: str, column: str) -> dict[str, Any]:
    return {"name": to, "relationship": "many_to_one", "sql": f"{{CUBE}}.{column} = {{{to}.id}}"}


def dimension(name: str, kind: str = "string", sql: str | None = None) -> dict[str, Any]:
    return {"name": name, "type": kind, "sql": sql or name}


CUBES: list[dict[str, Any]] = [
    {
        "name": "orders",
        "sql_table": "gold.orders",
        "joins": [
            one("orders", "customers", "customer_id"),
            {"name": "items", "relationship": "one_to_many", "sql": "{CUBE}.id = {items}.order_id"},
        ],
        "dimensions": [KEY, dimension("status"), dimension("created_at", "time"), dimension("paid", "boolean"),
                       dimension("amount", "number", "{CUBE}.amount")],
        "measures": [
            {"name": "count", "type": "count"},
            {"name": "total", "type": "sum", "sql": "{amount}"},
            {"name": "done_total", "type": "sum", "sql": "amount", "filters": [{"sql": "{status} = 'done'"}, {"sql": "{CUBE}.paid"}]},
            {"name": "mean", "type": "avg", "sql": "amount"},
            {"name": "least", "type": "min", "sql": "amount"},
            {"name": "most", "type": "max", "sql": "amount"},
            {"name": "buyers", "type": "count_distinct", "sql": "customer_id"},
            {"name": "ratio", "type": "number", "sql": "{total} / NULLIF({count}, 0)"},
            {"name": "spread", "type": "number", "sql": "max({CUBE}.amount) - min({CUBE}.amount) + 0 * {count}"},
            {"name": "flat", "type": "sum", "sql": "1"},
            {"name": "unknown", "type": "count", "filters": [{"sql": "{status} IS NULL"}]},
        ],
        "segments": [{"name": "large", "sql": "{amount} >= 5"}],
    },
    {
        "name": "customers",
        "sql_table": "gold.customers",
        "joins": [one("customers", "regions", "region_id")],
        "dimensions": [KEY, dimension("city"), {"name": "size", "type": "string", "case": {
            "when": [{"sql": "{CUBE}.score >= 5", "label": "big"}, {"sql": "{CUBE}.score < 5", "label": "small"}],
            "else": {"label": "none"}}}],
        "measures": [
            {"name": "count", "type": "count"},
            {"name": "score", "type": "sum", "sql": "score"},
            {"name": "flat", "type": "sum", "sql": "COALESCE({CUBE}.score, 1)"},
            {"name": "per_order", "type": "number", "sql": "{orders.count} * 1.0 / NULLIF({count}, 0)"},
        ],
    },
    {
        "name": "regions",
        "sql_table": "gold.regions",
        "dimensions": [KEY, dimension("name")],
        "measures": [{"name": "count", "type": "count"}],
    },
    {
        "name": "items",
        "sql_table": "gold.items",
        "joins": [one("items", "products", "product_id")],
        "dimensions": [KEY, dimension("qty", "number"), dimension("kind", "string", "{products.kind}")],
        "measures": [
            {"name": "count", "type": "count"},
            {"name": "quantity", "type": "sum", "sql": "{CUBE}.qty"},
            {"name": "value", "type": "sum", "sql": "{CUBE}.qty * {products}.price"},
        ],
    },
    {
        "name": "products",
        "sql": "SELECT * FROM gold.products",
        "dimensions": [KEY, dimension("kind"), dimension("price", "number")],
        "measures": [{"name": "count", "type": "count"}, {"name": "price_sum", "type": "sum", "sql": "price"}],
    },
    {
        "name": "tickets",
        "sql_table": "gold.tickets",
        "joins": [one("tickets", "customers", "customer_id")],
        "dimensions": [KEY, dimension("topic"), dimension("opened_at", "time")],
        "measures": [{"name": "count", "type": "count"}, {"name": "hours", "type": "sum", "sql": "hours"}],
    },
]  # fmt: skip

VIEWS: list[dict[str, Any]] = [
    {
        "name": "sales",
        "cubes": [
            {"join_path": "orders", "includes": "*", "excludes": ["spread"]},
            {"join_path": "orders.customers", "includes": "*", "prefix": True},
            {"join_path": "orders.items.products", "includes": [{"name": "kind", "alias": "product_kind"}, {"name": "count", "alias": "products_count"}]},
            {"join_path": "orders.items", "includes": [{"name": "quantity"}, {"name": "value"}]},
        ],
    }
]  # fmt: skip


def model(cubes: list[dict[str, Any]] = CUBES, views: list[dict[str, Any]] = VIEWS) -> Model:
    """The compiled model of the given cubes and views."""
    return compile_model(project(cubes, views))


def project(cubes: list[dict[str, Any]] = CUBES, views: list[dict[str, Any]] = VIEWS) -> Any:
    """What `compile_model` needs of a project."""
    return SimpleNamespace(
        cubes=tuple(Cube.model_validate(one) for one in cubes),
        views=tuple(View.model_validate(one) for one in views),
        dashboards=(),
        parts=None,
    )


TABLES: dict[str, dict[str, str]] = {
    "orders": {"id": "BIGINT", "customer_id": "BIGINT", "status": "VARCHAR", "created_at": "TIMESTAMP", "paid": "BOOLEAN", "amount": "BIGINT"},
    "customers": {"id": "BIGINT", "region_id": "BIGINT", "city": "VARCHAR", "score": "BIGINT"},
    "regions": {"id": "BIGINT", "name": "VARCHAR"},
    "items": {"id": "BIGINT", "order_id": "BIGINT", "product_id": "BIGINT", "qty": "BIGINT"},
    "products": {"id": "BIGINT", "kind": "VARCHAR", "price": "BIGINT"},
    "tickets": {"id": "BIGINT", "customer_id": "BIGINT", "topic": "VARCHAR", "opened_at": "TIMESTAMP", "hours": "BIGINT"},
}  # fmt: skip


def fill(con: Any, rows: dict[str, list[dict[str, Any]]]) -> None:
    """Writes the rows into the schema gold of a DuckDB connection."""
    con.execute("CREATE SCHEMA IF NOT EXISTS gold")
    for name, columns in TABLES.items():
        listed = ", ".join(f"{column} {kind}" for column, kind in columns.items())
        con.execute(f"CREATE OR REPLACE TABLE gold.{name} ({listed})")
        if rows[name]:
            marks = f"({', '.join('?' for _ in columns)})"
            every = ", ".join(marks for _ in rows[name])
            values = [row[column] for row in rows[name] for column in columns]
            con.execute(f"INSERT INTO gold.{name} VALUES {every}", values)
