"""Views as catalog content: Iceberg view metadata with the SQL that DuckDB runs."""

import itertools
import time
from collections.abc import Iterable, Mapping, Sequence
from uuid import uuid4

import sqlglot
from sqlglot import exp

from ingot.lake import metadata, names, types
from ingot.lake.errors import SchemaError
from ingot.lake.lru import Lru
from ingot.lake.model import Content, ContentType, Key
from ingot.lake.staged import Json, Staged, read_json, view_content
from ingot.lake.tables import write_metadata

DIALECT = "duckdb"


def stage(
    key: Key,
    sql: str,
    columns: Sequence[tuple[str, str]],
    *,
    before: Content | None,
    location: str,
    properties: Mapping[str, str],
) -> Staged:
    """Writes a view's metadata; `columns` are names and DuckDB types. Raises `SchemaError`."""
    import duckdb  # noqa: PLC0415 (heavy)

    name = names.dotted(key)
    _checked(sql, name)
    types.check_names([column for column, _ in columns], name)
    counter = itertools.count(1)
    fields = [
        {"name": column, "required": False, "type": types.from_duckdb(duckdb.sqltype(kind), column)}
        for column, kind in columns
    ]
    schema = {"type": "struct", "schema-id": 0, "fields": types.with_ids(fields, [], lambda: next(counter))}
    now = time.time_ns() // 1_000_000
    version: Json = {
        "version-id": 1,
        "timestamp-ms": now,
        "schema-id": 0,
        "summary": {"engine-name": "ingot"},
        "default-namespace": list(key[:-1]),
        "representations": [{"type": "sql", "sql": sql, "dialect": DIALECT}],
    }
    if before is None:
        document = metadata.new_view(
            uuid=str(uuid4()),
            location=location,
            schema=schema,
            version=version,
            properties=properties,
            now_ms=now,
        )
        at = write_metadata(document, None)
        return Staged(key, view_content(document, at, str(uuid4())), None, files=(at,))
    base = read_json(before.metadata_location)
    updates: list[Json] = [
        {"action": "add-schema", "schema": schema},
        {
            "action": "add-view-version",
            "view-version": {**version, "version-id": 1 + _latest(base), "schema-id": -1},
        },
        {"action": "set-current-view-version", "view-version-id": -1},
    ]
    if properties:
        updates.append({"action": "set-properties", "updates": dict(properties)})
    document = metadata.apply_view(base, [], updates, now_ms=now)
    if document is base:
        return Staged(key, before, before)
    at = write_metadata(document, before.metadata_location)
    return Staged(key, view_content(document, at, before.id), before, files=(at,))


def _latest(base: Json) -> int:
    return max(int(one["version-id"]) for one in base["versions"])


def _checked(sql: str, name: str) -> None:
    try:
        found = [one for one in sqlglot.parse(sql, dialect=DIALECT) if one is not None]
    except sqlglot.errors.SqlglotError as error:
        raise SchemaError(f"The SQL of the view {name} cannot be read: {error}") from error
    if len(found) != 1 or not isinstance(found[0], exp.Query):
        raise SchemaError(f"The view {name} must be one SELECT statement.")


_sql: Lru[str, str] = Lru(10_000)
_mentions: Lru[str, tuple[Key, ...]] = Lru(10_000)


def sql_of(content: Content) -> str:
    """The SELECT of a view for DuckDB; transpiled where only another dialect is stored."""
    if (cached := _sql.get(content.metadata_location)) is not None:
        return cached
    version = metadata.current_version(read_json(content.metadata_location))
    known = {one["dialect"].lower(): one["sql"] for one in version["representations"] if one["type"] == "sql"}
    if DIALECT in known:
        return _sql.put(content.metadata_location, str(known[DIALECT]).strip().rstrip(";"))
    dialect, text = next(iter(known.items()))
    try:
        found = sqlglot.transpile(text, read=dialect, write=DIALECT)[0]
    except (sqlglot.errors.SqlglotError, ValueError) as error:
        raise SchemaError(
            f"A view is stored in the dialect '{dialect}' only, and cannot be translated: {error}"
        ) from error
    return _sql.put(content.metadata_location, found)


def mentions(content: Content) -> tuple[Key, ...]:
    """The names that a view's SQL reads from, its own `WITH` parts left out, as written."""
    if (cached := _mentions.get(content.metadata_location)) is not None:
        return cached
    tree = sqlglot.parse_one(sql_of(content), dialect=DIALECT)
    own = {cte.alias.casefold() for cte in tree.find_all(exp.CTE)}
    found = {
        tuple(part.name for part in table.parts)
        for table in tree.find_all(exp.Table)
        if table.name and not (len(table.parts) == 1 and table.name.casefold() in own)
    }
    return _mentions.put(content.metadata_location, tuple(sorted(found)))


def ordered(contents: Mapping[Key, Content]) -> list[Key]:
    """All views, each after the views that it reads; `SchemaError` names a circle."""
    views = {key: content for key, content in contents.items() if content.type is ContentType.VIEW}
    by_name = {tuple(part.casefold() for part in key): key for key in contents}
    done: list[Key] = []
    path: list[Key] = []

    def visit(key: Key) -> None:
        if key in done:
            return
        if key in path:
            circle = " -> ".join(names.dotted(one) for one in [*path[path.index(key) :], key])
            raise SchemaError(f"Views read each other in a circle: {circle}.")
        path.append(key)
        for below in resolved(mentions(views[key]), key, by_name):
            if below in views:
                visit(below)
        path.pop()
        done.append(key)

    for key in sorted(views):
        visit(key)
    return done


def resolved(found: Iterable[Key], view: Key, by_name: Mapping[Key, Key]) -> list[Key]:
    """The keys that names in a view's SQL mean: from the root, without a leading catalog, or beside the view."""
    keys = []
    for one in found:
        folded = tuple(part.casefold() for part in one)
        beside = (*(part.casefold() for part in view[:-1]), *folded)
        for candidate in (folded, folded[1:], beside):
            if candidate in by_name:
                keys.append(by_name[candidate])
                break
    return keys
