"""PostgreSQL's types: their names, which becomes which by itself, and the engine's types for them."""

import re

from sqlglot import exp

from ingot.errors import did_you_mean
from ingot.semantic.sql.errors import SqlError, shown

ANY = "any"
"""Of what nobody knows: it fits everywhere, and is left as it is."""
UNKNOWN = "unknown"
"""Of a text or NULL that nothing has given a type yet."""

NUMBERS = ("int2", "int4", "int8", "numeric", "float4", "float8")
WHOLE = frozenset(NUMBERS[:3])
TEXTS = frozenset({"text", "varchar", "bpchar", "name"})
MOMENTS = frozenset({"date", "timestamp", "timestamptz"})

_IMPLICIT: dict[str, tuple[str, ...]] = {
    "int2": NUMBERS[1:],
    "int4": NUMBERS[2:],
    "int8": NUMBERS[3:],
    "numeric": NUMBERS[4:],
    "float4": ("float8",),
    "date": ("timestamp", "timestamptz"),
    "timestamp": ("timestamptz",),
    "time": ("interval",),
    "varchar": ("text", "bpchar", "name"),
    "bpchar": ("text", "varchar", "name"),
    "name": ("text",),
    "text": ("varchar", "bpchar"),
}
_PREFERRED = frozenset({"float8", "text", "timestamptz", "interval", "bool"})
_ENGINE = {
    "int2": "SMALLINT", "int4": "INTEGER", "int8": "BIGINT", "float4": "FLOAT", "float8": "DOUBLE", "text": "VARCHAR",
    "varchar": "VARCHAR", "bpchar": "VARCHAR", "name": "VARCHAR", "bool": "BOOLEAN", "date": "DATE", "time": "TIME",
    "timestamp": "TIMESTAMP", "timestamptz": "TIMESTAMP WITH TIME ZONE", "interval": "INTERVAL", "uuid": "UUID",
    "bytea": "BLOB", "json": "JSON", "jsonb": "JSON", "numeric": "DECIMAL(38, 10)", "oid": "BIGINT",
}  # fmt: skip
_SPOKEN = {
    "int2": "smallint", "int4": "integer", "int8": "bigint", "float4": "real", "float8": "double precision",
    "varchar": "character varying", "bpchar": "character", "bool": "boolean", "time": "time without time zone",
    "timestamp": "timestamp without time zone", "timestamptz": "timestamp with time zone",
}  # fmt: skip
_NAMES = {spoken: name for name, spoken in _SPOKEN.items()} | {
    "int": "int4", "integer": "int4", "decimal": "numeric", "char": "bpchar", "float": "float4", "double": "float8",
    "timestamp_tz": "timestamptz", "string": "text", "bigint": "int8", "smallint": "int2", "real": "float4",
    "boolean": "bool", "character": "bpchar", "timestampntz": "timestamp", "timestampltz": "timestamptz",
    "bytes": "bytea", "varbinary": "bytea",
}  # fmt: skip
KNOWN = frozenset(_ENGINE)
_DECIMAL = re.compile(r"(?:DECIMAL|NUMERIC)(?:\(\d+, ?\d+\))?")
_FROM_ENGINE = {
    "TINYINT": "int2", "SMALLINT": "int2", "UTINYINT": "int2", "INTEGER": "int4", "USMALLINT": "int4",
    "BIGINT": "int8", "UINTEGER": "int8", "HUGEINT": "numeric", "UBIGINT": "numeric", "UHUGEINT": "numeric",
    "FLOAT": "float4", "DOUBLE": "float8", "VARCHAR": "text", "BOOLEAN": "bool", "DATE": "date", "TIME": "time",
    "TIMESTAMP": "timestamp", "TIMESTAMP_S": "timestamp", "TIMESTAMP_MS": "timestamp", "TIMESTAMP_NS": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamptz", "INTERVAL": "interval", "UUID": "uuid", "BLOB": "bytea", "JSON": "json",
}  # fmt: skip


def from_engine(name: str) -> str:
    """PostgreSQL's type of a column of the engine; ANY for what PostgreSQL has no such type for."""
    if name.endswith("[]"):
        element = from_engine(name[:-2])
        return ANY if element == ANY else f"{element}[]"
    return "numeric" if _DECIMAL.fullmatch(name) else _FROM_ENGINE.get(name, ANY)


def engine(name: str) -> str:
    """The engine's type that holds the values."""
    return f"{engine(name[:-2])}[]" if name.endswith("[]") else _ENGINE[name]


def spoken(name: str) -> str:
    """A type as PostgreSQL's messages name it."""
    if name.endswith("[]"):  # arrays of arrays have the type of arrays
        return f"{spoken(name.rstrip('[]'))}[]"
    return _SPOKEN.get(name, name)


def unspoken(name: str) -> str:
    """The short name of a type that is told as `spoken` does, or as PostgreSQL writes it in DDL."""
    return _NAMES.get(name, name)


def element(name: str) -> str:
    """The type of an array's elements."""
    return name.removesuffix("[]") if name.endswith("[]") else ANY


def is_array(name: str) -> bool:
    return name.endswith("[]")


def category(name: str) -> str:
    """What PostgreSQL calls the category of a type: types of one are mixed."""
    if is_array(name):
        return "A"
    if name in NUMBERS:
        return "N"
    if name in TEXTS:
        return "S"
    if name in MOMENTS:
        return "D"
    return name


def preferred(name: str) -> bool:
    return name in _PREFERRED


def becomes(given: str, wanted: str) -> bool:
    """Whether a value of one type becomes one of the other without a cast."""
    if given in (wanted, UNKNOWN) or ANY in (given, wanted):
        return True
    if is_array(given) and is_array(wanted):
        return element(given) == ANY or element(wanted) == ANY or given == wanted
    return wanted in _IMPLICIT.get(given, ())


def common(types: list[str]) -> str | None:
    """The type that values of several are given, as in CASE and UNION; None where there is none."""
    known = [one for one in types if one not in (UNKNOWN, ANY)]
    if not known:
        return ANY if ANY in types else "text"
    found = known[0]
    for one in known[1:]:
        if one == found:
            continue
        if category(one) != category(found):
            return None
        if becomes(found, one) and not (becomes(one, found) and preferred(found)):
            found = one
    return found if all(becomes(one, found) for one in known) else None


def named(node: exp.DataType) -> tuple[str, tuple[int, ...]]:
    """PostgreSQL's name of a type that somebody wrote, and the numbers in its brackets.

    Raises `SqlError` for one that is not known here.
    """
    this = node.this
    sizes = tuple(_size(one) for one in node.expressions) if not _is_array(node) else ()
    if _is_array(node):
        if not node.expressions:
            raise _unknown(node)
        return f"{named(node.expressions[0])[0]}[]", ()
    if isinstance(this, exp.Interval):
        raise SqlError("An interval's fields cannot be limited here.", at=node, sqlstate="0A000")
    name = this.value.lower()
    if name == "user-defined":
        kind = node.args.get("kind")
        if isinstance(kind, exp.Dot) and str(kind.this.name).lower() == "pg_catalog":
            kind = kind.expression
        if not isinstance(kind, exp.Identifier):
            raise _unknown(node)
        name = kind.name.lower()
    if name == "char" and not sizes:
        if isinstance(node.args.get("kind"), exp.Identifier):  # "char" in quotes: the catalog's own
            raise _unknown(node)
        sizes = (1,)
    name = _NAMES.get(name, name)
    if name not in KNOWN:
        raise _unknown(node)
    return name, sizes


def _is_array(node: exp.DataType) -> bool:
    return bool(getattr(node.this, "value", "") == "ARRAY")


def _size(node: exp.Expr) -> int:
    text = node.this.name if isinstance(node, exp.DataTypeParam) else ""
    if not text.isdigit() or len(text) > 9:
        raise SqlError("The size of a type is a whole number.", at=node)
    return int(text)


def _unknown(node: exp.DataType) -> SqlError:
    said = node.sql("postgres").lower()
    return SqlError(
        f"The type {shown(said)} cannot be used here{did_you_mean(said, [*KNOWN, *_NAMES])}.",
        at=node,
        sqlstate="42704",
    )
