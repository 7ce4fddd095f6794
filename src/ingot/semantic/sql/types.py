"""The engine's types as PostgreSQL and Cube's clients name them."""

import re

_POSTGRES = {
    "BOOLEAN": "boolean", "TINYINT": "smallint", "SMALLINT": "smallint", "UTINYINT": "smallint",
    "INTEGER": "integer", "USMALLINT": "integer", "BIGINT": "bigint", "UINTEGER": "bigint",
    "HUGEINT": "numeric", "UBIGINT": "numeric", "UHUGEINT": "numeric", "FLOAT": "real",
    "DOUBLE": "double precision", "VARCHAR": "text", "DATE": "date", "TIME": "time without time zone",
    "TIMESTAMP": "timestamp without time zone", "TIMESTAMP_S": "timestamp without time zone",
    "TIMESTAMP_MS": "timestamp without time zone", "TIMESTAMP_NS": "timestamp without time zone",
    "TIMESTAMP WITH TIME ZONE": "timestamp with time zone", "INTERVAL": "interval", "UUID": "uuid",
    "BLOB": "bytea", "JSON": "json", '"NULL"': "text", "NULL": "text",
}  # fmt: skip
_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")
_CUBE = {
    "boolean": "Boolean", "smallint": "Int64", "integer": "Int64", "bigint": "Int64", "real": "Double",
    "double precision": "Double", "date": "Date", "timestamp without time zone": "Timestamp",
    "timestamp with time zone": "Timestamp", "interval": "Interval",
}  # fmt: skip


def postgres(type_: str) -> str:
    """PostgreSQL's name of an engine's type: `numeric(18,2)` for `DECIMAL(18,2)`."""
    if type_.endswith("[]"):
        return postgres(type_[:-2]) + "[]"
    decimal = _DECIMAL.fullmatch(type_)
    if decimal:
        return f"numeric({decimal[1]},{decimal[2]})"
    if type_.startswith(("STRUCT", "MAP", "UNION")):
        return "json"
    return _POSTGRES.get(type_, "text")


def cube(postgres_: str) -> str:
    """The `column_type` that Cube's clients know: `String`, `Double`, `Int64`, `Boolean`, `Timestamp`."""
    if postgres_.startswith("numeric"):
        return "Double"
    return _CUBE.get(postgres_, "String")
