"""Reading a table: a DuckDB expression over a fixed set of files.

The files come from the manifests of the current snapshot, and columns are found by field id, so renamed,
added and widened columns read right. What only DuckDB's Iceberg reader understands (delete files, name
mappings, nested columns that changed) is left to it, pinned to the same metadata file.
"""

from collections.abc import Collection, Sequence

from ingot.errors import NotFoundError
from ingot.lake import conditions, entries, files, manifest_list, manifests, metadata, objects, types
from ingot.lake.conditions import Condition
from ingot.lake.entries import Entry
from ingot.lake.errors import LakeError
from ingot.lake.manifests import LiveFile, Manifest
from ingot.lake.sql import identifier, literal
from ingot.lake.types import Json


def live_files(document: Json) -> list[LiveFile]:
    """Every data and delete file of the current snapshot."""
    return [file for one in _manifests(document) for file in one.files]


def _rows(document: Json) -> tuple[Json, ...]:
    rows = manifest_list.rows_of(metadata.current_snapshot(document))
    return tuple(row for row in rows if entries.has_live(row))


def _manifests(document: Json) -> list[Manifest]:
    return [found for row in _rows(document) if (found := manifests.read(row["manifest_path"])).files]


def live_entries(document: Json) -> list[Entry]:
    """The same as `live_files`, with partitions and statistics."""
    return list(entries.live(_rows(document)))


def expression(
    document: Json,
    location: str,
    columns: Sequence[str] | None,
    name: str,
    where: Sequence[Condition] = (),
) -> str:
    """A table expression that gives the table's rows, all columns or the named ones in their order.

    Files that hold no row for which all of `where` is true are left out; the rows are not filtered.
    """
    fields = metadata.current_schema(document)["fields"]
    tests = [conditions.compiled(one, _named(one.column, fields, name)) for one in where]
    known = [test for test in tests if test is not None]
    if not known or not _rows(document):
        return selection(document, location, columns, name)
    specs = {spec["spec-id"]: spec for spec in document["partition-specs"]}
    kept = {one.path for one in live_entries(document) if conditions.may_match(one, known, specs)}
    return selection(document, location, columns, name, only=kept)


def plain(document: Json) -> bool:
    """Whether DuckDB can read the table file by file, without its Iceberg reader."""
    fields = metadata.current_schema(document)["fields"]
    kinds = [types.to_duckdb(field["type"]) for field in fields]
    return None not in kinds and not _needs_reader(document, fields, _manifests(document))


def selection(
    document: Json,
    location: str,
    columns: Sequence[str] | None,
    name: str,
    *,
    only: Collection[str] | None = None,
    path_as: str | None = None,
) -> str:
    """The rows of the files `only` (None: of all), where `plain` holds; of all files elsewhere.

    `path_as` names a further column, which tells the file of each row; it needs a `plain` table.
    """
    everything = metadata.current_schema(document)["fields"]
    fields = everything if columns is None else [_named(column, everything, name) for column in columns]
    read = _manifests(document)
    found = [file for one in read for file in one.files if only is None or file.path in only]
    kinds = [types.to_duckdb(field["type"]) for field in fields]
    chosen = "*" if columns is None else ", ".join(identifier(field["name"]) for field in fields)
    if _needs_reader(document, fields, read) or None in kinds:
        return f"(SELECT {chosen} FROM iceberg_scan({literal(location)}))"
    if not found:
        nulls = ", ".join(
            f"CAST(NULL AS {kind}) AS {identifier(field['name'])}"
            for field, kind in zip(fields, kinds, strict=True)
        )
        more = f", NULL::VARCHAR AS {identifier(path_as)}" if path_as else ""
        return f"(SELECT {nulls}{more} WHERE false)"
    # Folders such as `day=1` that other writers make are not columns.
    paths = f"[{', '.join(literal(_unglobbed(one.path)) for one in found)}], hive_partitioning = false"
    if path_as:
        paths += f", filename = {literal(path_as)}"
        chosen = f"{chosen}, {identifier(path_as)}"
    if all(one.fields is not None and _same_columns(one.fields, everything) for one in read):
        # Finding columns by field id costs DuckDB half as much again; here names give the same.
        by_name = f"read_parquet({paths})"
        return by_name if columns is None else f"(SELECT {chosen} FROM {by_name})"
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
    everywhere = not foreign and all(_same_columns(one or (), fields) for one in written)
    if not everywhere and any(field.get("initial-default") is not None for field in fields):
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
    if "://" in path and not path.startswith("file:") and not objects.is_remote(path):
        raise LakeError(f"The data file {path} is in a storage that is not supported.")
    # A folder of the user's may have the characters of a pattern in its name.
    return "".join(f"[{character}]" if character in "*?[" else character for character in files.as_read(path))
