"""Views as catalog content: Iceberg view metadata with the SQL that DuckDB and other engines run."""

import itertools
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import uuid4

import sqlglot
from sqlglot import exp

from ingot.lake import dialects, metadata, names, types
from ingot.lake.dialects import naming
from ingot.lake.errors import SchemaError
from ingot.lake.lru import Lru
from ingot.lake.model import Content, ContentType, Key
from ingot.lake.staged import Json, Staged, read_json, view_content, write_metadata

DIALECT = "duckdb"
_OTHERS: tuple[Literal["trino", "spark"], ...] = ("trino", "spark")


def stage(
    key: Key,
    sql: str,
    columns: Sequence[tuple[str, str]],
    *,
    before: Content | None,
    location: str,
    properties: Mapping[str, str],
    known: Mapping[Key, Content],
) -> Staged:
    """Writes a view's metadata; `columns` are names and DuckDB types, `known` is what the view may read.

    Raises `SchemaError`.
    """
    import duckdb  # noqa: PLC0415 (heavy)

    name = names.dotted(key)
    types.check_names([column for column, _ in columns], name)
    counter = itertools.count(1)
    fields = [
        {"name": column, "required": False, "type": types.from_duckdb(duckdb.sqltype(kind), column)}
        for column, kind in columns
    ]
    schema = {"type": "struct", "schema-id": 0, "fields": types.with_ids(fields, [], lambda: next(counter))}
    now = time.time_ns() // 1_000_000
    representations, missing = _representations(sql, key, fields, known)
    version: Json = {
        "version-id": 1,
        "timestamp-ms": now,
        "schema-id": 0,
        "summary": {"engine-name": "ingot", **missing},
        "default-namespace": list(key[:-1]),
        "representations": representations,
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


def _representations(
    sql: str, key: Key, fields: Sequence[Json], known: Mapping[Key, Content]
) -> tuple[list[Json], dict[str, str]]:
    """The view in each dialect that is sure to mean the same, and why there is none in the others."""
    tree = _checked(sql, names.dotted(key))
    kinds, why = None, {}
    found: list[Json] = [{"type": "sql", "sql": sql, "dialect": DIALECT}]
    for target in _OTHERS:
        query = tree.copy()
        try:
            keys = [_rename_for(table, key, known, target) for table in list(naming.tables(query))]
            if kinds is None:
                kinds = dialects.kinds(_columns(keys, known), tree)
            naming.drop_catalogs(query)
            text = dialects.outward(query, fields, kinds, target)
        except dialects.Untranslatable as error:
            why[f"ingot.no-{target}"] = str(error)
        else:
            found.append({"type": "sql", "sql": text, "dialect": target})
    return found, why


def _rename_for(table: exp.Table, view: Key, known: Mapping[Key, Content], target: str) -> Key | None:
    parts = tuple(part.name for part in table.parts)
    key, _ = _meant(parts, view[:-1], known)
    if key is None and len(parts) > 2:
        raise dialects.Untranslatable(f"it reads {names.dotted(parts)}, which is not in the lake")
    meant = key or (view[:-1] + parts if len(parts) == 1 else (*parts[0].split("."), parts[1]))
    # To Trino, a nested namespace is one schema with dots in its name.
    naming.rename(table, meant if target == "spark" else (names.dotted(meant[:-1]), meant[-1]))
    return key


def _meant(parts: Key, beside: Key, known: Mapping[Key, Content]) -> tuple[Key | None, str | None]:
    """The key that a name in a view's SQL means, and the catalog that it names; None where it is not in the lake."""
    if len(parts) == 1:
        return _find((*beside, *parts), known), None
    flat = tuple(names.dotted(parts).split("."))
    if (key := _find(flat, known)) is not None:
        return key, None
    if len(parts) > 2 and (key := _find(tuple(names.dotted(parts[1:]).split(".")), known)) is not None:
        return key, parts[0]
    return None, None


def _find(key: Key, known: Mapping[Key, Content]) -> Key | None:
    if key in known:
        return key
    folded = [part.casefold() for part in key]
    return next((one for one in known if [part.casefold() for part in one] == folded), None)


def _columns(keys: Iterable[Key | None], known: Mapping[Key, Content]) -> list[tuple[str, object]]:
    """Names and Iceberg types of what a view reads; nothing at all where one of its tables is not known."""
    found: list[tuple[str, object]] = []
    for key in keys:
        if key is None:
            return []
        document = read_json(known[key].metadata_location)
        if known[key].type is ContentType.VIEW:
            fields = _fields(document)
        else:
            fields = metadata.current_schema(metadata.expand(document))["fields"]
        found += [(field["name"], field["type"]) for field in fields]
    return found


def _fields(document: Json) -> list[Json]:
    wanted = metadata.current_version(document)["schema-id"]
    found: list[Json] = next(one for one in document["schemas"] if one["schema-id"] == wanted)["fields"]
    return found


def _checked(sql: str, name: str) -> exp.Query:
    try:
        found = [one for one in sqlglot.parse(sql, dialect=DIALECT) if one is not None]
    except RecursionError as error:
        raise SchemaError(f"The SQL of the view {name} is nested too deep.") from error
    except sqlglot.errors.SqlglotError as error:
        raise SchemaError(f"The SQL of the view {name} cannot be read: {error}") from error
    if len(found) != 1 or not isinstance(found[0], exp.Query):
        raise SchemaError(f"The view {name} must be one SELECT statement.")
    return found[0]


@dataclass(frozen=True, slots=True)
class _Stored:
    """What a view's metadata says of its SQL."""

    dialect: str
    sql: str
    namespace: Key
    catalog: str | None
    fields: Sequence[Json]
    mentions: tuple[Key, ...]


_known: Lru[str, _Stored] = Lru(10_000)
_sql: Lru[tuple[str, tuple[Key | None, ...]], str] = Lru(10_000)


def _stored(content: Content) -> _Stored:
    """The view in DuckDB's dialect, or else in another; what cannot be read mentions nothing."""
    if (cached := _known.get(content.metadata_location)) is not None:
        return cached
    document = read_json(content.metadata_location)
    version = metadata.current_version(document)
    texts = {one["dialect"].lower(): str(one["sql"]) for one in version["representations"]}
    dialect = next((one for one in (DIALECT, *_OTHERS) if one in texts), next(iter(texts)))
    sql = texts[dialect].strip().rstrip(";")
    try:
        found = naming.tables(naming.read(sql, dialect))
        mentioned = dict.fromkeys(tuple(part.name for part in table.parts) for table in found)
    except dialects.Untranslatable:
        mentioned = {}
    namespace, catalog = tuple(version["default-namespace"]), version.get("default-catalog")
    stored = _Stored(dialect, sql, namespace, catalog, _fields(document), tuple(mentioned))
    return _known.put(content.metadata_location, stored)


def sql_of(content: Content, known: Mapping[Key, Content]) -> str:
    """The SELECT of a view for DuckDB, as `namespace.table` names are known in a state.

    Translated where another engine made the view; raises `SchemaError` where that cannot be done.
    """
    stored = _stored(content)
    # Only these depend on the rest of the state.
    elsewhere = [one for one in stored.mentions if stored.dialect != DIALECT or len(one) == 1]
    if stored.dialect == DIALECT and not elsewhere:
        return stored.sql
    keys = tuple(_meant(one, stored.namespace, known)[0] for one in elsewhere)
    if (cached := _sql.get((content.metadata_location, keys))) is not None:
        return cached
    try:
        _check_catalogs(stored, known)
        tree = naming.read(stored.sql, stored.dialect)
        for table in list(naming.tables(tree)):
            key, _ = _meant(tuple(part.name for part in table.parts), stored.namespace, known)
            if key is not None:
                naming.rename(table, (names.dotted(key[:-1]), key[-1]))
        if stored.dialect == DIALECT:
            found = tree.sql(dialect=DIALECT)
        else:
            naming.drop_catalogs(tree)
            kinds = dialects.kinds(_columns(keys, known), tree)
            found = dialects.inward(tree, stored.fields, kinds, stored.dialect)
    except dialects.Untranslatable as error:
        raise SchemaError(
            f"The view is stored in the dialect '{stored.dialect}' only, and cannot be translated: {error}."
        ) from error
    return _sql.put((content.metadata_location, keys), found)


def _check_catalogs(stored: _Stored, known: Mapping[Key, Content]) -> None:
    """Raises `Untranslatable` where a table may be another engine's catalog's, though the lake has its name."""
    named: set[str] = set()
    for one in stored.mentions:
        key, catalog = _meant(one, stored.namespace, known)
        if key is None:
            continue
        # Spark names the catalog of the session only where it is not the one that the view is in.
        if stored.dialect == "spark" and stored.catalog and catalog in (None, stored.catalog):
            raise dialects.Untranslatable(f"it reads {names.dotted(one)} of the catalog '{stored.catalog}'")
        named |= {one for one in (catalog or stored.catalog,) if one}
    if len(named) > 1:
        told = " and ".join(f"'{one}'" for one in sorted(named))
        raise dialects.Untranslatable(f"it reads the catalogs {told}, and which one is the lake is not known")


def text_of(content: Content) -> str:
    """The SELECT of a view as it is stored: for DuckDB where that is there, else for another engine."""
    return _stored(content).sql


def mentions(content: Content) -> tuple[Key, ...]:
    """The names that a view's SQL reads from, its own `WITH` parts left out, as written."""
    return _stored(content).mentions


def ordered(contents: Mapping[Key, Content]) -> dict[Key, str | None]:
    """All views, each after the views that it reads; with what is wrong where they read each other in a circle."""
    views = {key: content for key, content in contents.items() if content.type is ContentType.VIEW}
    by_name = {tuple(part.casefold() for part in key): key for key in contents}
    done: dict[Key, str | None] = {}
    path: list[Key] = []

    def visit(key: Key) -> None:
        if key in done:
            return
        if key in path:
            circle = path[path.index(key) :]
            shown = " -> ".join(names.dotted(one) for one in [*circle, key])
            done.update(dict.fromkeys(circle, f"Views read each other in a circle: {shown}."))
            return
        path.append(key)
        for below in resolved(mentions(views[key]), key, by_name):
            if below in views:
                visit(below)
        path.pop()
        done.setdefault(key, None)

    for key in sorted(views):
        visit(key)
    return done


def resolved(found: Iterable[Key], view: Key, by_name: Mapping[Key, Key]) -> list[Key]:
    """The keys that names in a view's SQL mean: from the root, without a leading catalog, or beside the view."""
    keys = []
    for one in found:
        folded = tuple(names.dotted(one).casefold().split("."))
        without = tuple(names.dotted(one[1:]).casefold().split("."))
        beside = (*(part.casefold() for part in view[:-1]), *folded)
        for candidate in (folded, without, beside):
            if candidate in by_name:
                keys.append(by_name[candidate])
                break
    return keys
