"""`State`: all tables and views as one commit has them, and `Table`: one of them. Nothing here changes."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ingot.errors import NotFoundError
from ingot.lake import metadata, names, same_rows, scan, views
from ingot.lake.conditions import Condition
from ingot.lake.errors import SchemaError
from ingot.lake.lru import Lru
from ingot.lake.model import Content, ContentType, Key
from ingot.lake.staged import Json, read_json
from ingot.lake.types import shown

_documents: Lru[str, Json] = Lru(2_000)


def document_of(content: Content) -> Json:
    """The metadata of a table or view; metadata files never change, so they are read once."""
    at = content.metadata_location
    if (cached := _documents.get(at)) is not None:
        return cached
    document = read_json(at)
    return _documents.put(at, metadata.expand(document) if content.type is ContentType.TABLE else document)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its name, its DuckDB type and its Iceberg field id."""

    name: str
    type: str
    id: int
    comment: str | None = None


@dataclass(frozen=True)
class Table:
    """One table at one commit."""

    name: str
    content: Content

    @property
    def metadata_location(self) -> str:
        """Where the table's metadata file is."""
        return self.content.metadata_location

    @property
    def snapshot_id(self) -> int:
        """The Iceberg snapshot; -1 while the table never had one."""
        return self.content.snapshot_id

    @cached_property
    def metadata(self) -> Json:
        """Iceberg's metadata document; not to be changed."""
        return document_of(self.content)

    @cached_property
    def schema(self) -> tuple[Column, ...]:
        """The columns, in order."""
        return tuple(
            Column(one["name"], shown(one["type"]), one["id"], one.get("doc"))
            for one in metadata.current_schema(self.metadata)["fields"]
        )

    @property
    def location(self) -> str:
        """The table's folder."""
        return str(self.metadata["location"])

    @property
    def properties(self) -> Mapping[str, str]:
        """The table's properties."""
        found: Mapping[str, str] = self.metadata["properties"]
        return found

    @property
    def comment(self) -> str | None:
        """What the table says of itself."""
        return self.properties.get("comment")

    @cached_property
    def _totals(self) -> tuple[int, int]:
        snapshot = metadata.current_snapshot(self.metadata)
        summary: Mapping[str, Any] = (snapshot or {}).get("summary", {})
        deleted = int(summary.get("total-position-deletes", 0))
        if snapshot is None:
            return 0, 0
        # A deletion vector takes the place of an earlier one, and DuckDB's totals count both.
        counted = self.metadata["format-version"] < 3 or not deleted
        if counted and "total-records" in summary and "total-files-size" in summary:
            return int(summary["total-records"]) - deleted, int(summary["total-files-size"])
        live = scan.live_files(self.metadata)
        data = [one for one in live if one.content == 0]
        if not counted:
            deleted = sum(one.rows for one in live if one.content == 1)
        return sum(one.rows for one in data) - deleted, sum(one.bytes for one in data)

    @property
    def rows(self) -> int:
        """How many rows the table has, by its metadata."""
        return self._totals[0]

    @property
    def bytes(self) -> int:
        """How large its live files are."""
        return self._totals[1]

    @property
    def files(self) -> list[str]:
        """The live data files."""
        return [one.path for one in scan.live_files(self.metadata) if one.content == 0]


@dataclass(frozen=True)
class View:
    """One view at one commit."""

    name: str
    content: Content
    known: Mapping[Key, Content] = field(default_factory=dict, repr=False, compare=False)
    """All that is there at that commit."""
    fault: str | None = None
    """Why it cannot be used whatever its SQL is."""

    @property
    def sql(self) -> str:
        """Its SELECT, for DuckDB; raises `SchemaError` where it reads itself or cannot be translated for DuckDB."""
        if self.fault is not None:
            raise SchemaError(self.fault)
        return views.sql_of(self.content, self.known)

    @property
    def text(self) -> str:
        """Its SELECT as it is stored, perhaps in another engine's dialect."""
        return views.text_of(self.content)

    @property
    def properties(self) -> Mapping[str, str]:
        """The view's properties."""
        found: Mapping[str, str] = document_of(self.content).get("properties", {})
        return found

    @cached_property
    def schema(self) -> tuple[Column, ...]:
        """The columns as they were when the view was made."""
        document = document_of(self.content)
        wanted = metadata.current_version(document)["schema-id"]
        found = next(one for one in document["schemas"] if one["schema-id"] == wanted)
        return tuple(
            Column(one["name"], shown(one["type"]), one["id"], one.get("doc")) for one in found["fields"]
        )


@dataclass(frozen=True)
class State:
    """All tables and views of one commit; immutable, and cheap to hold."""

    hash: str
    entries: Mapping[Key, Content] = field(repr=False)

    @cached_property
    def tables(self) -> tuple[str, ...]:
        """Names of all tables, sorted."""
        return self._names(ContentType.TABLE)

    @cached_property
    def views(self) -> tuple[str, ...]:
        """Names of all views, sorted."""
        return self._names(ContentType.VIEW)

    @cached_property
    def namespaces(self) -> tuple[str, ...]:
        """Names of all namespaces, sorted."""
        return self._names(ContentType.NAMESPACE)

    def _names(self, kind: ContentType) -> tuple[str, ...]:
        return tuple(sorted(names.dotted(key) for key, one in self.entries.items() if one.type is kind))

    @cached_property
    def _by_name(self) -> dict[str, Content]:
        return {names.dotted(key): one for key, one in self.entries.items()}

    def __contains__(self, name: str) -> bool:
        found = self._by_name.get(name)
        return found is not None and found.type is not ContentType.NAMESPACE

    def table(self, name: str) -> Table:
        """The table `name`; `NotFoundError` with the nearest name."""
        found = self._by_name.get(name)
        if found is None or found.type is not ContentType.TABLE:
            raise NotFoundError("table", name, self.tables, hint=f"Looked at commit {self.hash[:12]}.")
        return Table(name, found)

    def view(self, name: str) -> View:
        """The view `name`; `NotFoundError` with the nearest name."""
        found = self._by_name.get(name)
        if found is None or found.type is not ContentType.VIEW:
            raise NotFoundError("view", name, self.views, hint=f"Looked at commit {self.hash[:12]}.")
        return View(name, found, self.entries)

    def scan(self, name: str, columns: Sequence[str] | None = None, where: Sequence[Condition] = ()) -> str:
        """A DuckDB table expression for the table's rows at this commit; see `lake.scan`.

        Files that cannot hold a row that fulfils all of `where` are not read. The rows of the others are
        not filtered: the query keeps its own WHERE.
        """
        table = self.table(name)
        return scan.expression(table.metadata, table.metadata_location, columns, name, where)

    @cached_property
    def ordered_views(self) -> tuple[View, ...]:
        """All views, each after those that it reads: the order in which an engine can create them."""
        return tuple(
            View(names.dotted(key), self.entries[key], self.entries, fault)
            for key, fault in views.ordered(self.entries).items()
        )

    def reads(self, name: str) -> tuple[str, ...]:
        """The tables that `name` needs: itself, or all that a view reads, directly or through other views."""
        by_name = {tuple(part.casefold() for part in key): key for key in self.entries}
        found: set[Key] = set()
        todo = [names.key(name)]
        if todo[0] not in self.entries:
            raise NotFoundError("table or view", name, (*self.tables, *self.views))
        while todo:
            key = todo.pop()
            if key not in found:
                found.add(key)
                if self.entries[key].type is ContentType.VIEW:
                    todo += views.resolved(views.mentions(self.entries[key]), key, by_name)
        return tuple(
            sorted(names.dotted(key) for key in found if self.entries[key].type is ContentType.TABLE)
        )

    def fingerprint(self, wanted: Iterable[str]) -> str:
        """A hash that changes exactly when the rows or columns of these tables and views may have changed.

        The same table contents on another branch or commit have the same fingerprint, and so has a table
        that was only compacted.
        """
        parts: set[str] = set()
        for name in wanted:
            if name in self.views:
                parts.add(f"{name}\n{self.view(name).text}")
            for table in self.reads(name):
                one = self._by_name[table]
                parts.add(f"{table}\n{one.id}\n{same_rows.origin_of(one)}\n{one.schema_id}")
        return hashlib.sha256("\0".join(sorted(parts)).encode()).hexdigest()
