"""The shop in engines that are asked in SQL alone: its rows and the parameters stand in the statement as literals."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from ingot.semantic.planner.plan import Plan
from tests.semantic import shop

Rows = list[tuple[Any, ...]]
_TABLE = re.compile(r"\bgold\.(\w+)( AS )?")
_TYPES = {
    "trino": {"TIMESTAMP": "TIMESTAMP(6)"},
    "databricks": {"TIMESTAMP": "TIMESTAMP_NTZ", "VARCHAR": "STRING"},
}


class InlinedShop:
    """The tables of the shop as VALUES, asked by `ask`."""

    def __init__(
        self, dialect: str, ask: Callable[[str], Rows], tables: dict[str, dict[str, str]] = shop.TABLES
    ) -> None:
        self.dialect = dialect
        self._ask = ask
        self._columns = tables
        self._tables: dict[str, str] = {}

    def fill(self, rows: dict[str, list[dict[str, Any]]]) -> None:
        types = _TYPES[self.dialect]
        for name, columns in self._columns.items():
            listed = ", ".join(
                f"CAST({one} AS {types.get(kind, kind)}) AS {one}" for one, kind in columns.items()
            )
            every = [[self.literal(row[one]) for one in columns] for row in rows[name]]
            values = ", ".join(f"({', '.join(row)})" for row in every or [["NULL"] * len(columns)])
            where = "" if every else " WHERE 1 = 0"
            source = f"(VALUES {values}) AS {name}_rows ({', '.join(columns)})"
            self._tables[name] = f"(SELECT {listed} FROM {source}{where})"

    def literal(self, value: Any) -> str:
        if value is None or isinstance(value, bool | int | Decimal):
            return "NULL" if value is None else str(value)
        if isinstance(value, float):
            return f"CAST('{value!r}' AS DOUBLE)"
        text = value.isoformat(" ") if isinstance(value, datetime) else str(value)
        if self.dialect == "databricks":
            return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
        return "'" + text.replace("'", "''") + "'"

    def rows(self, made: Plan) -> Rows:
        return self.asked(made.sql, made.parameters)

    def asked(self, sql: str, parameters: Sequence[Any]) -> Rows:
        def table(found: re.Match[str]) -> str:
            return self._tables[found[1]] + (found[2] or f" AS {found[1]}")

        text = _TABLE.sub(table, sql)
        values = [self.literal(one) for one in parameters]
        if self.dialect == "trino":
            using = f" USING {', '.join(values)}" if values else ""
            text = text.replace("'", "''")
            text = f"EXECUTE IMMEDIATE '{text}'{using}"
        else:
            text = re.sub(r":p(\d+)\b", lambda found: values[int(found[1]) - 1], text)
        return [tuple(_plain(value) for value in row) for row in self._ask(text)]


def _plain(value: Any) -> Any:
    """A number as DuckDB gives it."""
    if not isinstance(value, Decimal):
        return value
    return int(value) if value == value.to_integral_value() else float(value)
