"""The type that a column has once it is in the lake, for types that Iceberg does not know.

dbt compares a model's columns with those of its table (`on_schema_change`): without this, a HUGEINT sum would
differ from the DECIMAL that the same sum was stored as, on every run.
"""

import re

_STORED = {
    "TINYINT": "INTEGER",
    "SMALLINT": "INTEGER",
    "UTINYINT": "INTEGER",
    "USMALLINT": "INTEGER",
    "UINTEGER": "BIGINT",
    "UBIGINT": "DECIMAL(20,0)",
    "HUGEINT": "DECIMAL(38,0)",
    "TIMESTAMP_S": "TIMESTAMP",
    "TIMESTAMP_MS": "TIMESTAMP",
    "TIMESTAMP_NS": "TIMESTAMP",
    "JSON": "VARCHAR",
}


_ENUM = re.compile(r"ENUM\((?:'(?:[^']|'')*'(?:, )?)*\)")
# A type, unlike the name of a struct's field, is followed by no space.
_TYPE = re.compile(rf"(?<![\w\"])(?:{'|'.join(_STORED)})(?=[,)\[]|$)")


def stored_type(kind: str) -> str:
    """The DuckDB type that a column of type `kind` is read back as, as DESCRIBE writes it."""
    return _TYPE.sub(lambda found: _STORED[found.group()], _ENUM.sub("VARCHAR", kind))
