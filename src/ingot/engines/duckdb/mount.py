"""Puts the tables and views of one state of the lake before a DuckDB connection, as one attached catalog.

Tables are views over a fixed set of files, so what is mounted never changes: a new commit is a new
catalog. Nothing is copied and no data is read until a query asks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import duckdb
from duckdb import DuckDBPyConnection

from ingot.engines.ports import State
from ingot.engines.sql import quote_identifier
from ingot.errors import IngotError


@dataclass(frozen=True, slots=True)
class Mount:
    """A state that a connection can query under the name `catalog`."""

    catalog: str
    names: frozenset[str]
    """The tables and views that are there, as `schema.name`."""
    broken: Mapping[str, str] = field(default_factory=dict)
    """Views that cannot be used in this state, and why (what they read is gone, for example)."""


def mount(con: DuckDBPyConnection, state: State, catalog: str) -> Mount:
    """Attaches an in-memory database `catalog` that holds every table and view of `state`.

    Names inside the views resolve within the catalog. A view that cannot be made is left out and listed as
    `broken`: it must not take the rest of the lake with it. Raises `duckdb.Error` where a table's files
    cannot be read; the catalog is detached then. Tables that other writers changed need the extension
    `iceberg` on the connection.
    """
    con.execute(f"ATTACH ':memory:' AS {quote_identifier(catalog)}")
    cursor = con.cursor()
    try:
        cursor.execute("BEGIN")
        tables = {name: f"SELECT * FROM {state.scan(name)}" for name in state.tables}
        views, broken = _read(state)
        for schema in sorted({name.rpartition(".")[0] for name in (*tables, *views)}):
            cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {quote_identifier(catalog, schema)}")
        for name, query in tables.items():
            _create(cursor, catalog, name, query)
        cursor.execute("COMMIT")
        cursor.execute(f"USE {quote_identifier(catalog)}")
        broken |= _create_views(cursor, catalog, views)
    except BaseException:
        cursor.close()
        con.execute(f"DETACH {quote_identifier(catalog)}")
        raise
    cursor.close()
    return Mount(catalog, frozenset((*tables, *views)) - broken.keys(), broken)


def _read(state: State) -> tuple[dict[str, str], dict[str, str]]:
    """The SELECTs of the views, and why there is none for DuckDB of those that another engine made."""
    views: dict[str, str] = {}
    broken: dict[str, str] = {}
    for view in state.ordered_views:
        try:
            views[view.name] = view.sql
        except IngotError as error:
            broken[view.name] = error.message
    return views, broken


def _create(cursor: DuckDBPyConnection, catalog: str, name: str, query: str) -> None:
    schema, _, table = name.rpartition(".")
    cursor.execute(f"CREATE VIEW {quote_identifier(catalog, schema, table)} AS {query}")


def _create_views(cursor: DuckDBPyConnection, catalog: str, views: Mapping[str, str]) -> dict[str, str]:
    """Creates the views, which come after those that they read; returns those that cannot be made and why."""
    broken: dict[str, str] = {}
    for name, query in views.items():
        try:
            _create(cursor, catalog, name, query)
        except duckdb.Error as error:
            broken[name] = str(error).splitlines()[0]
    return broken
