"""The rows of two tables that can differ, as SQL over the files that only one of them has.

Where nothing but whole Parquet files was added or removed, a file that both tables have holds the same rows
for both and is not read. Delete files, name mappings, default values and nested columns that changed make
that untrue or unsafe; then both tables are read as a whole, in the lake's own way.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ingot.lake import files, metadata, types
from ingot.lake.manifests import LiveFile
from ingot.lake.scan import live_files
from ingot.lake.sql import identifier, literal
from ingot.lake.state import State, Table
from ingot.quality.compared import Pair
from ingot.quality.model import FileChange

_DATA = 0


@dataclass(frozen=True, slots=True)
class Files:
    """The live files of two tables."""

    before: tuple[LiveFile, ...]
    after: tuple[LiveFile, ...]

    @property
    def change(self) -> FileChange:
        """What only one side has, counted."""
        old, new = {one.path: one for one in self.before}, {one.path: one for one in self.after}
        added, removed = new.keys() - old.keys(), old.keys() - new.keys()
        return FileChange(
            added=len(added),
            removed=len(removed),
            common=len(old.keys() & new.keys()),
            bytes_added=sum(new[path].bytes for path in added),
            bytes_removed=sum(old[path].bytes for path in removed),
        )

    @property
    def whole(self) -> bool:
        """Whether every file is Parquet and counts with all its rows."""
        return all(one.content == _DATA and one.format == "PARQUET" for one in (*self.before, *self.after))


def files_of(before: Table, after: Table) -> Files:
    """Reads the manifests of both tables."""
    return Files(tuple(live_files(before.metadata)), tuple(live_files(after.metadata)))


@dataclass(frozen=True, slots=True)
class Sides:
    """Both tables before an engine: a state with two tables, `before.rows` and `after.rows`.

    Their columns are `c0`, `c1`, … in the order of the pairs, each in the type that both are compared in.
    """

    hash: str
    queries: Mapping[str, str] = field(repr=False)
    ordered_views: Sequence[Any] = ()

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of the two."""
        return tuple(self.queries)

    def scan(self, name: str) -> str:
        """A table expression for one side."""
        return self.queries[name]


def sides(
    before: tuple[State, Table], after: tuple[State, Table], pairs: Sequence[Pair], found: Files
) -> Sides:
    """What has to be read to compare the two tables in the columns `pairs`."""
    common = {one.path for one in found.before} & {one.path for one in found.after}
    skip = common if common and found.whole and _skippable(before[1], after[1], pairs) else frozenset[str]()
    columns = (
        [(pair.before, pair.before_id, pair) for pair in pairs],
        [(pair.after, pair.after_id, pair) for pair in pairs],
    )
    queries = {
        f"{name}.rows": _query(state, table, listed, wanted, skip)
        for name, (state, table), listed, wanted in (
            ("before", before, found.before, columns[0]),
            ("after", after, found.after, columns[1]),
        )
    }
    return Sides(hashlib.sha256("\0".join(queries.values()).encode()).hexdigest(), queries)


def _skippable(before: Table, after: Table, pairs: Sequence[Pair]) -> bool:
    if any(pair.by_name for pair in pairs):
        return False
    for table in (before, after):
        document = table.metadata
        if "schema.name-mapping.default" in document["properties"]:
            return False
        fields = {one["id"]: one for one in metadata.current_schema(document)["fields"]}
        for pair in pairs:
            one = fields[pair.after_id]
            if one.get("initial-default") is not None or types.to_duckdb(one["type"]) is None:
                return False
            if isinstance(one["type"], dict) and not _always(pair.after_id, one["type"], before, after):
                return False
    return True


def _always(field_id: int, kind: Any, *tables: Table) -> bool:
    """Whether a nested column never had another type: DuckDB finds by id only what is at the top."""
    return all(
        one["type"] == kind
        for table in tables
        for schema in table.metadata["schemas"]
        for one in schema["fields"]
        if one["id"] == field_id
    )


def _query(
    state: State,
    table: Table,
    listed: Sequence[LiveFile],
    columns: Sequence[tuple[str, int, Pair]],
    skip: Collection[str],
) -> str:
    chosen = ", ".join(
        f"{pair.expression(name)} AS {identifier(f'c{at}')}" for at, (name, _, pair) in enumerate(columns)
    )
    names = [name for name, _, _ in columns]
    source = _part(table, names, [one for one in listed if one.path not in skip]) if skip else None
    return f"(SELECT {chosen} FROM {source or state.scan(table.name, names)})"


def _part(table: Table, names: Sequence[str], listed: Sequence[LiveFile]) -> str:
    fields = {one["name"]: one for one in metadata.current_schema(table.metadata)["fields"]}
    kinds = [(name, fields[name]["id"], types.to_duckdb(fields[name]["type"])) for name in names]
    if not listed:
        nulls = ", ".join(f"CAST(NULL AS {kind}) AS {identifier(name)}" for name, _, kind in kinds)
        return f"(SELECT {nulls} WHERE false)"
    schema = ", ".join(
        f"{number}: {{name: {literal(name)}, type: {literal(str(kind))}, default_value: NULL}}"
        for name, number, kind in kinds
    )
    paths = ", ".join(literal(_unglobbed(one.path)) for one in listed)
    return f"read_parquet([{paths}], hive_partitioning = false, schema = MAP {{{schema}}})"


def _unglobbed(path: str) -> str:
    """A path as DuckDB takes it; a folder of the user's may have the characters of a pattern in its name."""
    plain = path if "://" in path and not path.startswith("file:") else str(files.local(path))
    return "".join(f"[{character}]" if character in "*?[" else character for character in plain)
