"""Names of columns, and Iceberg's types, as each engine writes them."""

import re
from collections.abc import Mapping
from typing import Any, Literal

from ingot.lake import types
from ingot.lake.dialects.untranslatable import Untranslatable

Dialect = Literal["duckdb", "trino", "spark"]

_DECIMAL = re.compile(r"decimal\(\d+,\s*\d+\)")
_TRINO: Mapping[str, str] = {
    "boolean": "BOOLEAN",
    "int": "INTEGER",
    "long": "BIGINT",
    "float": "REAL",
    "double": "DOUBLE",
    "date": "DATE",
    "time": "TIME(6)",
    "timestamp": "TIMESTAMP(6)",
    "timestamptz": "TIMESTAMP(6) WITH TIME ZONE",
    "string": "VARCHAR",
    "uuid": "UUID",
    "binary": "VARBINARY",
}
_SPARK: Mapping[str, str] = {
    "boolean": "BOOLEAN",
    "int": "INT",
    "long": "BIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "date": "DATE",
    "timestamp": "TIMESTAMP_NTZ",
    "timestamptz": "TIMESTAMP",
    "string": "STRING",
    "uuid": "STRING",
    "binary": "BINARY",
}


def column(name: str, dialect: Dialect) -> str:
    """The name, quoted."""
    mark = "`" if dialect == "spark" else '"'
    return f"{mark}{name.replace(mark, mark * 2)}{mark}"


def typed(type_: types.IcebergType, dialect: Dialect) -> str:
    """An Iceberg type; raises `Untranslatable` where the engine has none for it."""
    if dialect == "duckdb":
        found = types.to_duckdb(type_)
    elif isinstance(type_, dict):
        found = _nested(type_, dialect)
    else:
        primitive = (_TRINO if dialect == "trino" else _SPARK).get(type_)
        found = type_.upper() if _DECIMAL.fullmatch(type_) else primitive
    if found is None:
        raise Untranslatable(f"{dialect} has no type for '{types.shown(type_)}'")
    return found


def _nested(type_: Mapping[str, Any], dialect: Dialect) -> str | None:
    opened, closed = ("<", ">") if dialect == "spark" else ("(", ")")
    if type_["type"] == "list":
        return f"ARRAY{opened}{typed(type_['element'], dialect)}{closed}"
    if type_["type"] == "map":
        return f"MAP{opened}{typed(type_['key'], dialect)}, {typed(type_['value'], dialect)}{closed}"
    kind, between = ("STRUCT", ": ") if dialect == "spark" else ("ROW", " ")
    fields = [
        f"{column(one['name'], dialect)}{between}{typed(one['type'], dialect)}" for one in type_["fields"]
    ]
    return f"{kind}{opened}{', '.join(fields)}{closed}"
