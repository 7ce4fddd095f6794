"""Columns of written statements as RowDescription tells them: by PostgreSQL's types of expressions, else by the engine's."""

from ingot.pgwire import types
from ingot.pgwire.ports import Field
from ingot.semantic.sql.questions.columns import cut
from ingot.semantic.sql.rows.scope import Col

_OIDS = {
    "bool": types.BOOL, "int2": types.INT2, "int4": types.INT4, "int8": types.INT8, "numeric": types.NUMERIC,
    "float4": types.FLOAT4, "float8": types.FLOAT8, "text": types.TEXT, "varchar": types.VARCHAR,
    "bpchar": types.BPCHAR, "name": types.NAME, "date": types.DATE, "time": types.TIME,
    "timestamp": types.TIMESTAMP, "timestamptz": types.TIMESTAMPTZ, "interval": types.INTERVAL, "uuid": types.UUID,
    "bytea": types.BYTEA, "json": types.JSON, "jsonb": types.JSONB, "oid": types.OID,
}  # fmt: skip


def field_of(col: Col, engine: str) -> Field:
    """A column whose values the engine gives as `engine`."""
    known = oid_of(col.type)
    oid, modifier = types.postgres_type(col.engine or engine)
    name = cut(col.name)
    if not known:
        return Field(name, oid, modifier)
    return Field(name, known, modifier if col.engine and known == oid else -1)


def oid_of(kind: str) -> int:
    """The number of a type that has PostgreSQL's name; 0 for none."""
    if kind.endswith("[]"):
        found = types.TYPES.get(oid_of(kind[:-2]))
        return found.array if found is not None else 0
    return _OIDS.get(kind, 0)
