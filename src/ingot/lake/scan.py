"""Reading a table: a DuckDB expression over a fixed set of files.

The files come from the manifests of the current snapshot, and columns are found by field id, so renamed,
added and widened columns read right. What only DuckDB's Iceberg reader understands (delete files, name
mappings, nested columns that changed) is left to it, pinned to the same metadata file.
"""

from collections.abc import Sequence

from ingot.errors import NotFoundError
from ingot.lake import files, manifests, metadata, types
from ingot.lake.errors import LakeError
from ingot.lake.manifests import LiveFile
from ingot.lake.sql import identifier, literal
from ingot.lake.types import Json


def live_files(document: Json) -> list[LiveFile]:
    """Every data and delete file of the current snapshot."""
    snapshot = metadata.current_snapshot(document)
    if snapshot is None:
        return []
    if "manifest-list" in snapshot:
        rows = manifests.list_rows(snapshot["manifest-list"])
        paths = [row["manifest_path"] for row in rows]
    else:
        paths = list(snapshot.get("manifests", []))
    return [one for path in paths for one in manifests.live_files(path)]


def expression(document: Json, location: str, columns: Sequence[str] | None, name: str) -> str:
    """A table expression that gives the table's rows, all columns or the named ones in their order."""
    fields = metadata.current_schema(document)["fields"]
    if columns is not None:
        fields = [_named(column, fields, name) for column in columns]
    found = live_files(document)
    kinds = [types.to_duckdb(field["type"]) for field in fields]
    if _needs_reader(document, fields, found) or None in kinds:
        chosen = "*" if columns is None else ", ".join(identifier(field["name"]) for field in fields)
        return f"(SELECT {chosen} FROM iceberg_scan({literal(location)}))"
    if not found:
        nulls = ", ".join(
            f"CAST(NULL AS {kind}) AS {identifier(field['name'])}"
            for field, kind in zip(fields, kinds, strict=True)
        )
        return f"(SELECT {nulls} WHERE false)"
    paths = ", ".join(literal(_unglobbed(one.path)) for one in found)
    schema = ", ".join(
        f"{field['id']}: {{name: {literal(field['name'])}, type: {literal(str(kind))}, default_value: NULL}}"
        for field, kind in zip(fields, kinds, strict=True)
    )
    # Folders such as `day=1` that other writers make are not columns.
    return f"read_parquet([{paths}], schema = MAP {{{schema}}}, hive_partitioning = false)"


def _needs_reader(document: Json, fields: Sequence[Json], found: Sequence[LiveFile]) -> bool:
    if any(one.content != manifests.DATA or one.format != "PARQUET" for one in found):
        return True
    if "schema.name-mapping.default" in document["properties"]:
        return True
    if any("initial-default" in field for field in fields):
        return True
    nested = {field["id"]: field["type"] for field in fields if isinstance(field["type"], dict)}
    return any(
        field["id"] in nested and field["type"] != nested[field["id"]]
        for schema in document["schemas"]
        for field in schema["fields"]
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
