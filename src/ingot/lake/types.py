"""Types of columns: DuckDB's to Iceberg's and back, field ids, and which changes a table takes.

Iceberg types are held as in its JSON: a primitive's name, or a dictionary for struct, list and map.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from ingot.lake.errors import SchemaError
from ingot.lake.sql import identifier

if TYPE_CHECKING:
    from duckdb.sqltypes import DuckDBPyType

IcebergType = str | dict[str, Any]
Json = dict[str, Any]

_TO_ICEBERG = {
    "boolean": "boolean",
    "tinyint": "int",
    "smallint": "int",
    "integer": "int",
    "utinyint": "int",
    "usmallint": "int",
    "uinteger": "long",
    "bigint": "long",
    "ubigint": "decimal(20, 0)",
    "hugeint": "decimal(38, 0)",
    "float": "float",
    "double": "double",
    "varchar": "string",
    "enum": "string",
    "uuid": "uuid",
    "blob": "binary",
    "date": "date",
    "time": "time",
    "timestamp": "timestamp",
    "timestamp_s": "timestamp",
    "timestamp_ms": "timestamp",
    "timestamp_ns": "timestamp",
    "timestamp with time zone": "timestamptz",
}
_TO_DUCKDB = {
    "boolean": "BOOLEAN",
    "int": "INTEGER",
    "long": "BIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "string": "VARCHAR",
    "uuid": "UUID",
    "binary": "BLOB",
    "date": "DATE",
    "time": "TIME",
    "timestamp": "TIMESTAMP",
    "timestamptz": "TIMESTAMP WITH TIME ZONE",
    "timestamp_ns": "TIMESTAMP_NS",
}
_DECIMAL = re.compile(r"decimal\((\d+),\s*(\d+)\)")
_HINTS = {
    "interval": "store a number of seconds, or its text: CAST(… AS VARCHAR)",
    "uhugeint": "CAST(… AS DECIMAL(38,0)) where the values fit",
    "bit": "CAST(… AS VARCHAR)",
    "time with time zone": "CAST(… AS TIME)",
    "union": "CAST(… AS JSON)",
}


def from_duckdb(kind: "DuckDBPyType", column: str) -> IcebergType:
    """The Iceberg type for a DuckDB type, nested fields without ids; `SchemaError` names the column."""
    if kind.id == "decimal":
        precision, scale = (value for _, value in kind.children)
        return f"decimal({precision}, {scale})"
    if kind.id == "struct":
        children = _nested(kind)
        check_names([name for name, _ in children], f"the struct '{column}'")
        fields = [
            {"name": name, "required": False, "type": from_duckdb(child, f"{column}.{name}")}
            for name, child in children
        ]
        return {"type": "struct", "fields": fields}
    if kind.id in ("list", "array"):
        element = from_duckdb(_nested(kind)[0][1], f"{column}.element")
        return {"type": "list", "element": element, "element-required": False}
    if kind.id == "map":
        (_, key), (_, value) = _nested(kind)
        return {
            "type": "map",
            "key": from_duckdb(key, f"{column}.key"),
            "value": from_duckdb(value, f"{column}.value"),
            "value-required": False,
        }
    found = _TO_ICEBERG.get(kind.id)
    if found is None:
        hint = _HINTS.get(kind.id)
        raise SchemaError(
            f"Column '{column}' has the type {kind}, which Iceberg tables cannot hold.",
            hint=f"Instead: {hint}." if hint else "Cast it, for example to VARCHAR.",
        )
    return found


def _nested(kind: "DuckDBPyType") -> list[tuple[str, "DuckDBPyType"]]:
    # The length of an array stands among its children as a plain number.
    return [(name, cast("DuckDBPyType", child)) for name, child in kind.children if name != "size"]


def to_duckdb(kind: IcebergType) -> str | None:
    """The DuckDB type that an Iceberg type is read as; None where DuckDB's Iceberg reader must decide."""
    if isinstance(kind, str):
        if found := _DECIMAL.fullmatch(kind):
            return f"DECIMAL({found[1]},{found[2]})"
        return "BLOB" if kind.startswith("fixed[") else _TO_DUCKDB.get(kind)
    parts = [(name, to_duckdb(child["type"])) for name, child in _children(kind)]
    if any(text is None for _, text in parts):
        return None
    if kind["type"] == "struct":
        return "STRUCT(" + ", ".join(f"{identifier(name)} {text}" for name, text in parts) + ")"
    if kind["type"] == "list":
        return f"{parts[0][1]}[]"
    return f"MAP({parts[0][1]}, {parts[1][1]})"


def check_names(columns: Sequence[str], where: str) -> None:
    """Raises `SchemaError` where names are empty or equal but for case: SQL could not tell them apart."""
    seen: dict[str, str] = {}
    for name in columns:
        if not name.strip():
            raise SchemaError(f"A column of {where} has no name.")
        if "\0" in name:
            raise SchemaError(f"The column {name!r} of {where} has a zero byte in its name.")
        if (other := seen.get(name.casefold())) is not None:
            same = (
                f"'{name}' twice" if other == name else f"'{other}' and '{name}', which differ only by case"
            )
            raise SchemaError(
                f"Two columns of {where} have one name: {same}.", hint="Rename one of them with AS."
            )
        seen[name.casefold()] = name


def promotable(old: IcebergType, new: IcebergType) -> bool:
    """Whether files written as `old` can be read as `new` under the same field id."""
    if isinstance(old, dict) or isinstance(new, dict):
        return isinstance(old, dict) and isinstance(new, dict) and old["type"] == new["type"]
    if normal(old) == normal(new) or (old, new) in (("int", "long"), ("float", "double")):
        return True
    before, after = _DECIMAL.fullmatch(old), _DECIMAL.fullmatch(new)
    return bool(before and after and before[2] == after[2] and int(before[1]) <= int(after[1]))


_FITS = {
    ("int", "long"),
    ("int", "double"),
    ("float", "double"),
    ("date", "timestamp"),
}


def fits(new: IcebergType, old: IcebergType) -> bool:
    """Whether every value of `new` can be cast to `old` without loss, so that a column may stay as it is."""
    if isinstance(new, dict) or isinstance(old, dict):
        return False
    before, after = _DECIMAL.fullmatch(old), _DECIMAL.fullmatch(new)
    if before and after:
        old_whole, new_whole = int(before[1]) - int(before[2]), int(after[1]) - int(after[2])
        return int(after[2]) <= int(before[2]) and new_whole <= old_whole
    if before and new in ("int", "long"):
        return int(before[1]) - int(before[2]) >= (10 if new == "int" else 19)
    return (new, old) in _FITS or old == "string"


def shown(kind: IcebergType) -> str:
    """A type as a person reads it."""
    return to_duckdb(kind) or (kind if isinstance(kind, str) else str(kind["type"]))


def normal(kind: str) -> str:
    """A primitive's name without differences of spacing."""
    return kind.replace(" ", "")


def same(one: IcebergType, other: IcebergType) -> bool:
    """Whether two types are equal but for field ids."""
    if isinstance(one, str) or isinstance(other, str):
        return isinstance(one, str) and isinstance(other, str) and normal(one) == normal(other)
    mine, theirs = _children(one), _children(other)
    return (
        one["type"] == other["type"]
        and [name for name, _ in mine] == [name for name, _ in theirs]
        and all(same(left["type"], right["type"]) for (_, left), (_, right) in zip(mine, theirs, strict=True))
    )


def with_ids(fields: Sequence[Json], previous: Sequence[Json], fresh: Callable[[], int]) -> list[Json]:
    """The fields with ids: that of the previous field of the same name where its type allows, else a new one."""
    known = {field["name"]: field for field in previous}
    done = []
    for field in fields:
        before = known.get(field["name"])
        if before is not None and not promotable(before["type"], field["type"]):
            before = None
        number = fresh() if before is None else before["id"]
        kind = _nested_ids(field["type"], None if before is None else before["type"], fresh)
        extra = {"doc": before["doc"]} if before and "doc" in before else {}
        done.append(
            {"id": number, "name": field["name"], "required": field["required"], "type": kind, **extra}
        )
    return done


def _nested_ids(kind: IcebergType, before: Any, fresh: Callable[[], int]) -> IcebergType:
    if isinstance(kind, str):
        return kind
    old = before if isinstance(before, dict) else None
    if kind["type"] == "struct":
        return {**kind, "fields": with_ids(kind["fields"], old["fields"] if old else [], fresh)}
    done = dict(kind)
    for part in ("element",) if kind["type"] == "list" else ("key", "value"):
        keeps = old is not None and promotable(old[part], kind[part])
        done[f"{part}-id"] = old[f"{part}-id"] if old is not None and keeps else fresh()
        done[part] = _nested_ids(kind[part], old[part] if old is not None and keeps else None, fresh)
    return done


def _children(kind: Mapping[str, Any]) -> list[tuple[str, Json]]:
    if kind["type"] == "struct":
        return [(field["name"], field) for field in kind["fields"]]
    parts = ("element",) if kind["type"] == "list" else ("key", "value")
    return [(part, {"id": kind.get(f"{part}-id"), "type": kind[part]}) for part in parts]


def widened(old: IcebergType, new: IcebergType, fresh: Callable[[], int]) -> IcebergType | None:
    """`old` made wide enough for rows of `new` as well, at every depth; None where the two do not go together.

    Everything that `old` has stays, with its id, so that the rows which are there read as before: a nested
    field that the new rows lack is NULL in them, one that they add gets a new id.
    """
    if isinstance(old, str) or isinstance(new, str):
        if same(old, new) or fits(new, old):
            return old
        return new if promotable(old, new) else None
    if old["type"] != new["type"]:
        return None
    if old["type"] == "struct":
        fields = _widened_fields(old["fields"], new["fields"], fresh)
        return None if fields is None else {**old, "fields": fields}
    parts = ("element",) if old["type"] == "list" else ("key", "value")
    kinds = {part: widened(old[part], new[part], fresh) for part in parts}
    return None if None in kinds.values() else {**old, **kinds}


def _widened_fields(old: Sequence[Json], new: Sequence[Json], fresh: Callable[[], int]) -> list[Json] | None:
    given = {field["name"].casefold(): field for field in new}
    fields = []
    for field in old:
        found = given.pop(field["name"].casefold(), None)
        kind = field["type"] if found is None else widened(field["type"], found["type"], fresh)
        if kind is None or (found is None and field["required"]):
            return None
        fields.append({**field, "type": kind})
    return [*fields, *with_ids(list(given.values()), [], fresh)]


def field_ids(fields: Sequence[Json]) -> str:
    """DuckDB's `FIELD_IDS` for these fields."""
    return "{" + ", ".join(_field_id(field["name"], field) for field in fields) + "}"


def _field_id(name: str, field: Json) -> str:
    if isinstance(field["type"], str):
        return f"{identifier(name)}: {field['id']}"
    inner = ", ".join(_field_id(child, below) for child, below in _children(field["type"]))
    return f"{identifier(name)}: {{__duckdb_field_id: {field['id']}, {inner}}}"


def leaves(
    fields: Sequence[Json], prefix: str = "", *, repeated: bool = False
) -> dict[str, tuple[int, str, bool]]:
    """Every primitive below these fields: DuckDB's path of it to (field id, type, inside a list or map)."""
    found: dict[str, tuple[int, str, bool]] = {}
    for field in fields:
        path = prefix + identifier(field["name"])
        kind = field["type"]
        if isinstance(kind, str):
            found[path] = (field["id"], kind, repeated)
            continue
        inner = [{"name": name, **child} for name, child in _children(kind)]
        for child in inner:
            found |= leaves([child], path + ".", repeated=repeated or kind["type"] != "struct")
    return found
