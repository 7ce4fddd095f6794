"""What a table looks like once a query's columns have been fitted into it: schema, partitioning, order.

An overwritten column keeps its field id as long as its name and a compatible type last. An append matches
columns by name, widens types, adds new columns and fills missing ones with NULL. So do the modes that
replace a part of the table, but an upsert must have every column.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import uuid4

from ingot.lake import datafiles, metadata, transforms, types
from ingot.lake.errors import SchemaError
from ingot.lake.sql import literal
from ingot.lake.transforms import Term
from ingot.lake.types import Json

Mode = Literal["overwrite", "append", "overwrite_partitions", "upsert"]
DEFAULTS = {
    # Other branches may refer to files that one branch no longer does: only Ingot's own collector knows.
    "gc.enabled": "false",
    "write.target-file-size-bytes": str(256 * 1024 * 1024),
    "write.parquet.compression-codec": "zstd",
}
Columns = Sequence[tuple[str, Any]]
"""Names and DuckDB types, as `datafiles.describe` gives them."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for."""

    name: str
    columns: Columns
    mode: Mode
    partition_by: Sequence[str]
    sort_by: Sequence[str]
    properties: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Shape:
    """The table's metadata before the new snapshot, and how the query's columns go into it."""

    document: Json
    previous: str | None
    """The metadata file that the next one has to log; None where it is logged already or there is none."""
    select: tuple[str, ...]
    fields: tuple[Json, ...]
    terms: tuple[Term, ...]


def new(wish: Wish, location: str, now_ms: int) -> Shape:
    """A table that is not there yet."""
    counter = itertools.count(1)
    fields = types.with_ids(_fields(wish), [], lambda: next(counter))
    terms = transforms.partition_terms(wish.partition_by, fields)
    document = metadata.new_table(
        uuid=str(uuid4()),
        location=location,
        schema={"type": "struct", "schema-id": 0, "fields": fields},
        spec=transforms.spec(terms, fields),
        order=transforms.sort_order(wish.sort_by, fields),
        properties={**DEFAULTS, **wish.properties},
        format_version=2,
        now_ms=now_ms,
    )
    return Shape(document, None, tuple(_casts(wish.columns, fields)), tuple(fields), tuple(terms))


def evolved(wish: Wish, base: Json, previous: str, now_ms: int) -> Shape:
    """The table `base`, whose metadata is stored at `previous`, made ready for the new rows.

    Raises `SchemaError` where they do not fit.
    """
    now = metadata.current_schema(base)["fields"]
    counter = itertools.count(base["last-column-id"] + 1)
    if wish.mode == "overwrite":
        fields = types.with_ids(_fields(wish), now, lambda: next(counter))
        select = _casts(wish.columns, fields)
    else:
        fields, select = _appended(wish, now, lambda: next(counter))
    schema_id = 1 + max(one["schema-id"] for one in base["schemas"])
    updates: list[Json] = [
        {"action": "add-schema", "schema": {"type": "struct", "schema-id": schema_id, "fields": fields}},
        {"action": "set-current-schema", "schema-id": -1},
        *_layout(wish, base, fields),
    ]
    if wish.properties:
        updates.append({"action": "set-properties", "updates": dict(wish.properties)})
    document = metadata.apply(base, [], updates, now_ms=now_ms, previous=previous)
    terms = transforms.terms_of(metadata.default_spec(document), fields)
    to_log = previous if document is base else None
    return Shape(document, to_log, tuple(select), tuple(fields), tuple(terms))


def _layout(wish: Wish, base: Json, fields: Sequence[Json]) -> list[Json]:
    """Updates of partitioning and order; an append keeps the table's own where it asks for none."""
    updates: list[Json] = []
    if wish.mode == "overwrite" or wish.partition_by:
        spec = transforms.spec(transforms.partition_terms(wish.partition_by, fields), fields)
        if wish.mode != "overwrite" and _parts(spec) != _parts(metadata.default_spec(base)):
            raise SchemaError(
                f"{wish.name} is partitioned in another way than by {', '.join(wish.partition_by)}.",
                hint="Rebuild it (full refresh, mode overwrite) to partition it anew.",
            )
        updates += [{"action": "add-spec", "spec": spec}, {"action": "set-default-spec", "spec-id": -1}]
    if wish.mode == "overwrite" or wish.sort_by:
        order = transforms.sort_order(wish.sort_by, fields)
        updates += [
            {"action": "add-sort-order", "sort-order": order},
            {"action": "set-default-sort-order", "sort-order-id": -1},
        ]
    return updates


def _parts(spec: Json) -> list[tuple[int, str]]:
    return [(part["source-id"], part["transform"]) for part in spec["fields"]]


def _casts(columns: Columns, fields: Sequence[Json]) -> list[str]:
    return [datafiles.cast(name, kind, field) for (name, kind), field in zip(columns, fields, strict=True)]


def _appended(wish: Wish, now: Sequence[Json], fresh: Callable[[], int]) -> tuple[list[Json], list[str]]:
    """The table's fields, widened and followed by new columns, and what goes into each of them."""
    given = {name.casefold(): (name, kind) for name, kind in wish.columns}
    wanted = {field["name"].casefold(): field for field in _fields(wish)}
    fields: list[Json] = []
    select = []
    for field in now:
        found = given.pop(field["name"].casefold(), None)
        if found is None:
            if wish.mode == "upsert":
                raise SchemaError(
                    f"The new rows of {wish.name} have no column '{field['name']}', whose values in rows of the "
                    "same key would be lost.",
                    hint="Select it as well, or NULL where it shall be emptied.",
                )
            if field["required"] and field.get("write-default") is None:
                raise SchemaError(
                    f"{wish.name} needs a value in '{field['name']}', which the new rows do not have."
                )
            fields.append(field)
            select.append(_missing(wish.name, field))
            continue
        kept = _widened(wish.name, field, wanted[field["name"].casefold()], fresh)
        fields.append(kept)
        select.append(datafiles.cast(found[0], found[1], kept))
    added = types.with_ids([wanted[folded] for folded in given], [], fresh)
    return [*fields, *added], [*select, *_casts(list(given.values()), added)]


def _missing(name: str, field: Json) -> str:
    """What goes into a column that the new rows do not have: its default (version 3), or NULL."""
    kind, value = types.to_duckdb(field["type"]), field.get("write-default")
    simple = (
        isinstance(field["type"], str) and field["type"] != "binary" and isinstance(value, str | int | float)
    )
    if kind is None or (value is not None and not simple):
        raise SchemaError(
            f"Column '{field['name']}' of {name} has "
            f"{'a default' if kind else 'the type ' + types.shown(field['type'])} that Ingot does not write.",
            hint="Select the column." if kind else "Write the table with another engine.",
        )
    return f"CAST({'NULL' if value is None else literal(str(value))} AS {kind})"


def _widened(name: str, field: Json, wanted: Json, fresh: Callable[[], int]) -> Json:
    kind = types.widened(field["type"], wanted["type"], fresh)
    if kind is not None:
        return {**field, "type": kind}
    raise SchemaError(
        f"Column '{field['name']}' of {name} holds {types.shown(field['type'])}; the new rows bring "
        f"{types.shown(wanted['type'])}.",
        hint="Cast the column, or rebuild the table (mode overwrite).",
    )


def _fields(wish: Wish) -> list[Json]:
    if not wish.columns:
        raise SchemaError(f"{wish.name} would have no columns.")
    try:
        return [
            {"name": name, "required": False, "type": types.from_duckdb(kind, name)}
            for name, kind in wish.columns
        ]
    except SchemaError as error:
        raise SchemaError(f"{wish.name}: {error.message}", hint=error.hint) from None
