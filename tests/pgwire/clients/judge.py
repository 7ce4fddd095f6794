"""Fills a real PostgreSQL with what the cubes and views give, computed by `Service` and not over the SQL port."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from ingot.engines.duckdb import DuckDBEngine
from ingot.lake import Lake
from ingot.pgwire.catalog.schema import difference, tidy
from ingot.pgwire.catalog.showing import ProjectShowing
from ingot.pgwire.ports import SessionInfo
from ingot.project import load
from ingot.semantic import Service
from ingot.semantic.context import ANYONE
from tests.lake.postgres import server
from tests.pgwire.clients.sides import Side

FILLED = ("campaigns", "customers", "lifetime_value", "order_items", "orders", "products")
"""The cubes whose rows PostgreSQL gets, too."""
SALES = (
    "orders_order_id", "orders_order_number", "orders_order_date", "orders_order_status", "orders_channel",
    "orders_total_amount", "orders_is_gift", "customers_country", "customers_segment", "order_items_item_id",
    "order_items_quantity", "order_items_line_total", "order_items_is_returned", "order_items_total_amount",
    "order_items_gross_profit", "order_items_count", "products_category", "products_brand", "products_price",
)  # fmt: skip
"""What PostgreSQL gets of the view `sales`: one row an item, so that measures of items add up there as well."""

_MEASURES = {"numeric": "numeric_add", "bigint": "int8pl", "double precision": "float8pl"}
"""PostgreSQL gets `MEASURE(x)` for measures that are sums; ours is an aggregate of any type."""


@contextmanager
def served_by(project: Path) -> Iterator[tuple[Service, Lake]]:
    """A service of this process, beside the server that is under test, and its lake."""
    loaded = load(project)
    with Lake.open(loaded) as lake:
        engine = DuckDBEngine(lake)
        try:
            yield Service(loaded, lake, engine), lake
        finally:
            engine.close()


def exported(project: Path, folder: Path) -> None:
    """Writes what `loaded` reads: `schema.sql`, and for each filled table its rows."""
    with served_by(project) as (service, lake):
        (folder / "schema.sql").write_text(";\n".join(_schema(service, lake)))
        for name in (*FILLED, "sales"):
            wanted = ", ".join(SALES) if name == "sales" else "*"
            answer = service.query_sql(f"SELECT {wanted} FROM {name}")
            columns = [column.name for column in answer.columns]
            with (folder / f"{name}.rows").open("w") as file:
                file.write("\t".join(columns) + "\n")
                for batch in answer.batches():
                    file.writelines("\t".join(map(_text, row)) + "\n" for row in batch)


@contextmanager
def loaded(folder: Path) -> Iterator[Side]:
    """A PostgreSQL with these tables, for a user who may only read, as with us."""
    with server() as address:
        uri = address.replace("+psycopg", "")
        with psycopg.connect(uri, autocommit=True) as con:
            con.execute("CREATE DATABASE storefront")
            con.execute("CREATE ROLE reader LOGIN")
            con.execute("ALTER SYSTEM SET timezone = 'UTC'")
            con.execute("SELECT pg_reload_conf()")
        uri = uri.replace("/postgres", "/storefront")
        with psycopg.connect(uri) as con:
            con.execute((folder / "schema.sql").read_text().encode())
            con.execute(
                "SET LOCAL session_replication_role = replica"
            )  # rows come before those they refer to
            for name in (*FILLED, "sales"):
                _fill(con, name, folder / f"{name}.rows")
        with psycopg.connect(uri, autocommit=True) as con:
            con.execute("SET allow_system_table_mods = on")
            for kind, step in _MEASURES.items():
                con.execute(
                    f"CREATE AGGREGATE pg_catalog.measure({kind}) (sfunc = {step}, stype = {kind})".encode()
                )
            con.execute("ANALYZE")
        yield Side("postgresql", int(uri.rpartition(":")[2].split("/", 1)[0]))


def _fill(con: psycopg.Connection[Any], table: str, rows: Path) -> None:
    with rows.open() as file:
        names = sql.SQL(", ").join(map(sql.Identifier, file.readline().rstrip("\n").split("\t")))
        into = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)
        with con.cursor().copy(into) as copy:
            while block := file.read(1 << 20):
                copy.write(block)


def _schema(service: Service, lake: Lake) -> list[str]:
    """The same tables, columns, comments and keys as our catalog is told to show."""
    info = SessionInfo("reader", "storefront", "main", ANYONE, True, {})
    return difference((), tidy(ProjectShowing("storefront", service, lake).tables(info)))


def _text(value: Any) -> str:
    """A value as PostgreSQL's COPY reads it."""
    if value is None:
        return "\\N"
    if isinstance(value, bool):
        return "t" if value else "f"
    return str(value).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
