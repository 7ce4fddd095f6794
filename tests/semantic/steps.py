"""Cubes whose rows stand in their SQL, and questions about them."""

from typing import Any

import duckdb

from ingot.semantic.planner.plan import plan
from ingot.semantic.query import parse
from tests.semantic import shop

Rows = list[tuple[Any, ...]]


def values(columns: str, *rows: str) -> str:
    return f"SELECT * FROM (VALUES {', '.join(f'({row})' for row in rows)}) AS t({columns})"


def ask(con: duckdb.DuckDBPyConnection, cubes: list[dict[str, Any]], query: dict[str, Any]) -> Rows:
    made = plan(shop.model(cubes, []), parse(query))
    return con.execute(made.sql, list(made.parameters)).fetchall()
