"""The shop in a real PostgreSQL, asked as the DuckDB of the other tests is."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import psycopg

from ingot.semantic.planner.plan import Plan
from tests.lake import postgres
from tests.semantic import shop

Rows = list[tuple[Any, ...]]
_TYPES = {"VARCHAR": "TEXT", "DOUBLE": "DOUBLE PRECISION"}


class PostgresShop:
    """The tables of the shop, which each `fill` writes anew."""

    dialect = "postgres"

    def __init__(
        self, con: "psycopg.Connection[Any]", tables: dict[str, dict[str, str]] = shop.TABLES
    ) -> None:
        self.con = con
        self._columns = tables
        con.execute("SET TIME ZONE 'UTC'")
        con.execute("SET jit = off")
        con.execute("CREATE SCHEMA IF NOT EXISTS gold")
        for name, columns in tables.items():
            listed = ", ".join(f"{column} {_TYPES.get(kind, kind)}" for column, kind in columns.items())
            con.execute(f"CREATE TABLE gold.{name} ({listed})")  # type: ignore[call-overload, unused-ignore]

    def fill(self, rows: dict[str, list[dict[str, Any]]]) -> None:
        statements, values = [], []
        for name, columns in self._columns.items():
            statements.append(f"DELETE FROM gold.{name}")
            if rows[name]:
                marks = f"({', '.join(['%s'] * len(columns))})"
                statements.append(f"INSERT INTO gold.{name} VALUES {', '.join([marks] * len(rows[name]))}")
                values += [row[column] for row in rows[name] for column in columns]
        psycopg.ClientCursor(self.con).execute("; ".join(statements), values)  # type: ignore[arg-type, unused-ignore]

    def rows(self, made: Plan) -> Rows:
        return self.asked(made.sql, made.parameters)

    def asked(self, sql: str, parameters: Sequence[Any]) -> Rows:
        found = psycopg.RawCursor(self.con).execute(sql, list(parameters)).fetchall()
        return [tuple(_plain(value) for value in row) for row in found]


def _plain(value: Any) -> Any:
    """A number as DuckDB gives it."""
    if not isinstance(value, Decimal):
        return value
    return int(value) if value == value.to_integral_value() else float(value)


@contextmanager
def connection() -> Iterator["psycopg.Connection[Any]"]:
    """A connection to a server of its own."""
    with (
        postgres.server() as url,
        psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as con,
    ):
        yield con
