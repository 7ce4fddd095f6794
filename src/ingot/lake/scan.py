"""Reading a table: a DuckDB expression over a fixed set of files.

The files come from the manifests of the current snapshot, and columns are found by field id, so renamed,
added and widened columns read right. What only DuckDB's Iceberg reader understands (delete files, name
mappings, nested columns that changed) is left to it, pinned to the same metadata file.
"""

from collections.abc import Sequence

from ingot.errors import NotFoundError
from ingot.lake import files, manifests, metadata, types
from ingot.lake.errors import LakeError
from ingot.lake.manifests import LiveFile, Manifest
from ingot.lake.sql import identifier, literal
from ingot.lake.types import Json


def live_files(document: Json) -> list[LiveFile]:
    """Every data and delete file of the current snapshot."""
    return [file for one in _manifests(document) for file in one.files]


def _manifests(document: Json) -> list[Manifest]:
    snapshot = metadata.current_snapshot(document)
    if snapshot is None:
        return []
    if "manifest-list" in snapshot:
        paths = [row["manifest_path"] for row in manifests.list_rows(snapshot["manifest-list"])]
    else:
        paths = list(snapshot.get("manifests", []))
    return [found for path in paths if (found := manifests.read(path)).files]


def expression(document: Json, location: str, columns: Sequence[str] | None, name: str) -> str:
    """A table expression that gives the table's rows, all columns or the named ones in their order."""
    everything = metadata.current_schema(document)["fields"]
    fields = everything if columns is None else [_named(column, everything, name) for column in columns]
    read = _manifests(document)
    found = [file for one in read for file in one.files]
    kinds = [types.to_duckdb(field["type"]) for field in fields]
    chosen = "*" if columns is None else ", ".join(identifier(field["name"]) for field in fields)
    if _needs_reader(document, fields, read) or None in kinds:
        return f"(SELECT {chosen} FROM iceberg_scan({literal(location)}))"
    if not found:
        nulls = ", ".join(
            f"CAST(NULL AS {kind}) AS {identifier(field['name'])}"
            for field, kind in zip(fields, kinds, strict=True)
        )
        return f"(SELECT {nulls} WHERE false)"
    # Folders such as `day=1` that other writers make are not columns.
    paths = f"[{', '.join(literal(_unglobbed(one.path)) for one in found)}], hive_partitioning = false"
    if all(one.fields is not None and _same_columns(one.fields, everything) for one in read):
        # Finding columns by field id costs DuckDB half as much again; here names give the same.
        plain = f"read_parquet({paths})"
        return plain if columns is None else f"(SELECT {chosen} FROM {plain})"
    schema = ", ".join(
        f"{field['id']}: {{name: {literal(field['name'])}, type: {literal(str(kind))}, default_value: NULL}}"
        for field, kind in zip(fields, kinds, strict=True)
    )
    return f"read_parquet({paths}, schema = MAP {{{schema}}})"


def _same_columns(one: Sequence[Json], other: Sequence[Json]) -> bool:
    return [(field["id"], field["name"], field["type"]) for field in one] == [
        (field["id"], field["name"], field["type"]) for field in other
    ]


def _needs_reader(document: Json, fields: Sequence[Json], read: Sequence[Manifest]) -> bool:
    if any(file.content != manifests.DATA or file.format != "PARQUET" for one in read for file in one.files):
        return True
    written = [one.fields for one in read]
    foreign = None in written
    if foreign and "schema.name-mapping.default" in document["properties"]:
        return True
    if foreign and any("initial-default" in field for field in fields):
        return True
    # DuckDB maps top columns by field id, but not what is inside of them.
    nested = {field["id"]: field["type"] for field in fields if isinstance(field["type"], dict)}
    earlier = [schema["fields"] for schema in document["schemas"]] if foreign else written
    return any(
        field["id"] in nested and field["type"] != nested[field["id"]]
        for schema in earlier
        for field in schema or ()
    )


def _named(column: str, fields: Sequence[Json], name: str) -> Json:
    for field in fields:
        if field["name"].casefold() == column.casefold():
            found: Json = field
            return found
    raise NotFoundError(f"column of {name}", column, [field["name"] for field in fields])


def _unglobbed(path: str) -> str:
    if "://" in path and not path.startswith("file:"):
        raise LakeError(f"The data file {path} is not on a local disk; other storage is not supported yet.")
    # A folder of the user's may have the characters of a pattern in its name.
    return "".join(
        f"[{character}]" if character in "*?[" else character for character in str(files.local(path))
    )
