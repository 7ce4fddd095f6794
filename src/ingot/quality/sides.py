"""The rows of two tables that can differ, as SQL over the files that only one of them has.

Where tables are plain (`scan.plain`: no delete files, nothing that only DuckDB's Iceberg reader understands), a
file that both have holds the same rows for both and is not read. Elsewhere both are read as a whole.
"""

import hashlib
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from ingot.lake import scan
from ingot.lake.manifests import LiveFile
from ingot.lake.sql import identifier
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
    return Files(tuple(scan.live_files(before.metadata)), tuple(scan.live_files(after.metadata)))


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
    skip = common if common and _skippable(before[1], after[1], pairs) else set[str]()
    queries = {
        "before.rows": _query(*before, found.before, [(pair.before, pair) for pair in pairs], skip),
        "after.rows": _query(*after, found.after, [(pair.after, pair) for pair in pairs], skip),
    }
    return Sides(hashlib.sha256("\0".join(queries.values()).encode()).hexdigest(), queries)


def _skippable(before: Table, after: Table, pairs: Sequence[Pair]) -> bool:
    named = any(pair.by_name for pair in pairs)
    return not named and scan.plain(before.metadata) and scan.plain(after.metadata)


def _query(
    state: State,
    table: Table,
    listed: Sequence[LiveFile],
    columns: Sequence[tuple[str, Pair]],
    skip: Set[str],
) -> str:
    chosen = ", ".join(
        f"{pair.expression(name)} AS {identifier(f'c{at}')}" for at, (name, pair) in enumerate(columns)
    )
    names = [name for name, _ in columns]
    if skip:
        kept = {one.path for one in listed} - skip
        source = scan.selection(table.metadata, table.metadata_location, names, table.name, only=kept)
    else:
        source = state.scan(table.name, names)
    return f"(SELECT {chosen} FROM {source})"
