"""The branch that a build works on: its tables and views before DuckDB, and the way back into the lake.

Knows of the lake and DuckDB, not of dbt. Every write is one commit of one table, after which the name
means the new table to every cursor. Thread-safe, because dbt builds several models at once.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from duckdb import DuckDBPyConnection

from ingot.engines.duckdb import connect, mount
from ingot.engines.sql import quote_identifier
from ingot.errors import IngotError
from ingot.lake import Lake, Staged

CATALOG = "lake"
"""The DuckDB catalog that holds the branch; dbt calls it the database."""


@dataclass(frozen=True, slots=True)
class Written:
    """What one publication wrote."""

    rows: int | None
    bytes: int | None


class Branch:
    """A lake branch as a DuckDB catalog that can be written to."""

    def __init__(self, lake: Lake, name: str) -> None:
        self._lake = lake
        self.name = name
        self._lock = threading.RLock()
        state = lake.at(name)
        self._kinds: dict[str, Literal["table", "view"]] = dict.fromkeys(state.tables, "table")
        self._kinds |= dict.fromkeys(state.views, "view")
        # Tables that a client has deleted rows from are read by the Iceberg extension, which takes 0.1 s to load.
        deletions = any("iceberg_scan" in state.scan(table) for table in state.tables)
        self.connection = connect(
            extensions=("avro", "iceberg") if deletions else (), stores=(lake.warehouse,)
        )
        try:
            self.broken: Mapping[str, str] = mount(self.connection, state, CATALOG).broken
        except BaseException:
            self.connection.close()
            raise
        self._schemas = {name.rpartition(".")[0] for name in self._kinds}

    def close(self) -> None:
        """Closes DuckDB; the lake stays open."""
        self.connection.close()

    def relations(self, schema: str) -> list[tuple[str, Literal["table", "view"]]]:
        """Names and kinds of what `schema` holds."""
        with self._lock:
            found = ((name.rpartition("."), kind) for name, kind in self._kinds.items())
            return [(name, kind) for (space, _, name), kind in found if space.lower() == schema.lower()]

    def kind(self, name: str) -> Literal["table", "view"] | None:
        """What `name` is on the branch; None where it is not there."""
        with self._lock:
            return self._kinds.get(name)

    def names(self) -> frozenset[str]:
        """Every table and view of the branch."""
        with self._lock:
            return frozenset(self._kinds)

    def schemas(self) -> list[str]:
        """Every schema that a table is or may be in."""
        with self._lock:
            return sorted(self._schemas)

    def ensure_schema(self, schema: str) -> None:
        """Makes the schema known to DuckDB; in the lake it comes with its first table."""
        with self._lock:
            if schema not in self._schemas:
                self.connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quote_identifier(CATALOG, schema)}")
                self._schemas.add(schema)

    def publish(
        self,
        cursor: DuckDBPyConnection,
        name: str,
        query: str,
        *,
        message: str,
        mode: Literal["overwrite", "append"] = "overwrite",
        partition_by: Sequence[str] = (),
        sort_by: Sequence[str] = (),
        properties: Mapping[str, str] | None = None,
        comment: str | None = None,
    ) -> Written:
        """Writes the rows of `query` as (or into) table `name` and commits it."""
        staged = self._lake.stage(
            cursor,
            name,
            query,
            on=self.name,
            mode=mode,
            partition_by=tuple(partition_by),
            sort_by=tuple(sort_by),
            properties=dict(properties or {}),
            comment=comment,
        )
        self._commit(staged, message)
        self._show_table(cursor, name)
        return Written(staged.rows, staged.bytes)

    def publish_view(
        self, cursor: DuckDBPyConnection, name: str, query: str, *, message: str, comment: str | None = None
    ) -> None:
        """Makes `name` a view on `query` and commits it."""
        columns = [(row[0], row[1]) for row in cursor.execute(f"DESCRIBE {query}").fetchall()]
        staged = self._lake.stage_view(name, query, on=self.name, columns=columns, comment=comment)
        self._commit(staged, message)
        self._show(cursor, name, query, "view")

    def drop(self, cursor: DuckDBPyConnection, name: str, *, message: str) -> None:
        """Removes a table or view from the branch."""
        self._commit(self._lake.stage_drop(name, on=self.name), message)
        schema, _, table = name.rpartition(".")
        cursor.execute(f"DROP VIEW IF EXISTS {quote_identifier(CATALOG, schema, table)}")
        with self._lock:
            self._kinds.pop(name, None)

    def _commit(self, staged: Staged, message: str) -> None:
        try:
            self._lake.commit(self.name, [staged], message=message)
        except IngotError:
            self._lake.discard([staged])
            raise

    def _show_table(self, cursor: DuckDBPyConnection, name: str) -> None:
        self._show(cursor, name, f"SELECT * FROM {self._lake.at(self.name).scan(name)}", "table")

    def _show(
        self, cursor: DuckDBPyConnection, name: str, query: str, kind: Literal["table", "view"]
    ) -> None:
        schema, _, table = name.rpartition(".")
        self.ensure_schema(schema)
        cursor.execute(f"CREATE OR REPLACE VIEW {quote_identifier(CATALOG, schema, table)} AS {query}")
        with self._lock:
            self._kinds[name] = kind
