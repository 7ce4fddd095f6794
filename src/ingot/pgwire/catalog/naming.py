"""Types as PostgreSQL writes them in DDL."""

import re

_ENGINE = {
    "BOOLEAN": "boolean", "TINYINT": "smallint", "SMALLINT": "smallint", "UTINYINT": "smallint",
    "INTEGER": "integer", "USMALLINT": "integer", "BIGINT": "bigint", "UINTEGER": "bigint",
    "UBIGINT": "numeric", "HUGEINT": "numeric", "UHUGEINT": "numeric", "BIGNUM": "numeric", "FLOAT": "real",
    "DOUBLE": "double precision", "VARCHAR": "text", "BLOB": "bytea", "DATE": "date", "TIME": "time",
    "TIME_NS": "time", "TIMESTAMP": "timestamp", "TIMESTAMP_S": "timestamp", "TIMESTAMP_MS": "timestamp",
    "TIMESTAMP_NS": "timestamp", "TIMESTAMP WITH TIME ZONE": "timestamp with time zone",
    "TIME WITH TIME ZONE": "time with time zone", "INTERVAL": "interval", "UUID": "uuid", "BIT": "bit varying",
    "JSON": "json",
}  # fmt: skip
_DECIMAL = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)")
_LIST = re.compile(r"(.*?)((?:\[\d*\])+)", re.DOTALL)
_NESTED = ("STRUCT(", "MAP(", "UNION(", "VARIANT")

NUMBERS = ("smallint", "integer", "bigint", "real", "double precision", "numeric")
WHOLE = ("smallint", "integer", "bigint")


def postgres(engine: str) -> str:
    """PostgreSQL's type for one as the engine names it: `numeric(14,2)` for `DECIMAL(14,2)`; else text."""
    if decimal := _DECIMAL.fullmatch(engine):
        return f"numeric({decimal[1]},{decimal[2]})"
    if found := _LIST.fullmatch(engine):
        inner = postgres(found[1])
        return "json" if inner == "json" else f"{inner}[]"
    if engine.startswith(_NESTED):
        return "json"
    return _ENGINE.get(engine, "text")


def is_number(name: str) -> bool:
    """Whether PostgreSQL's type is a number."""
    return name.startswith(NUMBERS) and not name.endswith("]")
