"""The types of PostgreSQL that go over the wire, and which of them the engine's types are.

It knows numbers and names; how values are written is in `values`.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

BOOL, BYTEA, CHAR, NAME, INT8, INT2, INT4, TEXT, OID = 16, 17, 18, 19, 20, 21, 23, 25, 26
JSON, FLOAT4, FLOAT8, UNKNOWN, BPCHAR, VARCHAR = 114, 700, 701, 705, 1042, 1043
DATE, TIME, TIMESTAMP, TIMESTAMPTZ, INTERVAL, TIMETZ = 1082, 1083, 1114, 1184, 1186, 1266
BIT, VARBIT, NUMERIC, UUID, JSONB = 1560, 1562, 1700, 2950, 3802


@dataclass(frozen=True, slots=True)
class Type:
    """A type of PostgreSQL."""

    oid: int
    name: str
    """As error messages write it (`double precision`)."""
    size: int
    """Bytes of a value as RowDescription tells it; -1 where it varies."""
    array: int
    """The OID of its arrays; 0 for none."""
    element: int = 0
    """Of an array: the OID of what it holds."""


_SCALARS = (
    Type(BOOL, "boolean", 1, 1000),
    Type(BYTEA, "bytea", -1, 1001),
    Type(CHAR, '"char"', 1, 1002),
    Type(NAME, "name", 64, 1003),
    Type(INT8, "bigint", 8, 1016),
    Type(INT2, "smallint", 2, 1005),
    Type(INT4, "integer", 4, 1007),
    Type(TEXT, "text", -1, 1009),
    Type(OID, "oid", 4, 1028),
    Type(JSON, "json", -1, 199),
    Type(FLOAT4, "real", 4, 1021),
    Type(FLOAT8, "double precision", 8, 1022),
    Type(UNKNOWN, "unknown", -2, 0),
    Type(BPCHAR, "character", -1, 1014),
    Type(VARCHAR, "character varying", -1, 1015),
    Type(DATE, "date", 4, 1182),
    Type(TIME, "time", 8, 1183),
    Type(TIMESTAMP, "timestamp", 8, 1115),
    Type(TIMESTAMPTZ, "timestamp with time zone", 8, 1185),
    Type(INTERVAL, "interval", 16, 1187),
    Type(TIMETZ, "time with time zone", 12, 1270),
    Type(BIT, "bit", -1, 1561),
    Type(VARBIT, "bit varying", -1, 1563),
    Type(NUMERIC, "numeric", -1, 1231),
    Type(UUID, "uuid", 16, 2951),
    Type(JSONB, "jsonb", -1, 3807),
)
TYPES: dict[int, Type] = {one.oid: one for one in _SCALARS} | {
    one.array: Type(one.array, f"{one.name}[]", -1, 0, one.oid) for one in _SCALARS if one.array
}
"""Every type that this server writes and reads, by OID."""

TEXTS = frozenset({TEXT, VARCHAR, BPCHAR, NAME, UNKNOWN, CHAR})
"""Types whose values are plain text."""

_ENGINE = {
    "BOOLEAN": BOOL, "TINYINT": INT2, "SMALLINT": INT2, "UTINYINT": INT2, "INTEGER": INT4, "USMALLINT": INT4,
    "BIGINT": INT8, "UINTEGER": INT8, "UBIGINT": NUMERIC, "HUGEINT": NUMERIC, "UHUGEINT": NUMERIC,
    "BIGNUM": NUMERIC, "FLOAT": FLOAT4, "DOUBLE": FLOAT8, "VARCHAR": TEXT, "BLOB": BYTEA, "DATE": DATE,
    "TIME": TIME, "TIME_NS": TIME, "TIMESTAMP": TIMESTAMP, "TIMESTAMP_S": TIMESTAMP, "TIMESTAMP_MS": TIMESTAMP,
    "TIMESTAMP_NS": TIMESTAMP, "TIMESTAMP WITH TIME ZONE": TIMESTAMPTZ, "TIME WITH TIME ZONE": TIMETZ,
    "INTERVAL": INTERVAL, "UUID": UUID, "BIT": VARBIT, "JSON": JSON,
}  # fmt: skip
_DECIMAL = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)")
_LIST = re.compile(r"(.*)\[\d*\]", re.DOTALL)
_NESTED = ("STRUCT(", "MAP(", "UNION(", "VARIANT")


def type_of(oid: int) -> Type:
    """What is known of a type; one that is not ours is named by its number and has no fixed size."""
    return TYPES.get(oid) or Type(oid, f"type {oid}", -1, 0)


def numeric_modifier(precision: int, scale: int) -> int:
    """The modifier of `numeric(precision, scale)`."""
    return ((precision << 16) | scale) + 4


def numeric_scale(modifier: int) -> tuple[int, int] | None:
    """Precision and scale of a modifier of `numeric`; None for none."""
    return None if modifier < 4 else ((modifier - 4) >> 16, (modifier - 4) & 0xFFFF)


@cache
def postgres_type(engine: str) -> tuple[int, int]:
    """OID and modifier for a type as the engine names it (`DECIMAL(14,2)`); what has no match is text."""
    if decimal := _DECIMAL.fullmatch(engine):
        return NUMERIC, numeric_modifier(int(decimal[1]), int(decimal[2]))
    if found := _LIST.fullmatch(engine):
        oid, modifier = postgres_type(found[1])
        known = TYPES.get(oid)
        if oid == JSON or known is None:
            return JSON, -1
        return (oid if known.element else known.array), modifier
    if engine.startswith(_NESTED):
        return JSON, -1
    return _ENGINE.get(engine, TEXT), -1


def arrow_type(kind: "pa.DataType") -> tuple[int, int]:
    """OID and modifier for a type of Arrow: what its values are where nothing else is known of them."""
    import pyarrow as pa  # noqa: PLC0415 - heavy
    from pyarrow import types  # noqa: PLC0415

    if types.is_decimal(kind):
        return NUMERIC, numeric_modifier(kind.precision, kind.scale)
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        oid, modifier = arrow_type(kind.value_type)
        known = TYPES[oid]
        return (JSON, -1) if oid == JSON else ((oid if known.element else known.array), modifier)
    if types.is_timestamp(kind):
        return (TIMESTAMP if kind.tz is None else TIMESTAMPTZ), -1
    if types.is_time(kind):
        return TIME, -1
    if types.is_nested(kind):
        return JSON, -1
    oids = {
        pa.bool_(): BOOL, pa.int8(): INT2, pa.uint8(): INT2, pa.int16(): INT2, pa.uint16(): INT4, pa.int32(): INT4,
        pa.uint32(): INT8, pa.int64(): INT8, pa.uint64(): NUMERIC, pa.float16(): FLOAT4, pa.float32(): FLOAT4,
        pa.float64(): FLOAT8, pa.date32(): DATE, pa.date64(): DATE, pa.binary(): BYTEA, pa.large_binary(): BYTEA,
        pa.month_day_nano_interval(): INTERVAL,
    }  # fmt: skip
    return oids.get(kind, TEXT), -1
