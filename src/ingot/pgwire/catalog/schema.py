"""Tables that are shown -> the DDL that makes them, and the DDL between two states of them."""

from collections.abc import Iterable, Sequence

from ingot.pgwire.catalog.shown import Column, Reference, Table
from ingot.semantic.sql.questions.columns import cut

_COLUMNS = 1600
"""As many as a table of PostgreSQL can have."""

Name = tuple[str, str]


def identifier(name: str) -> str:
    """A name as SQL writes it, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def tidy(tables: Iterable[Table]) -> tuple[Table, ...]:
    """What PostgreSQL can hold of them: names that differ in what it keeps of them, and none that is its own.

    The first of two that it could not tell apart stays.
    """
    found: dict[Name, Table] = {}
    for table in tables:
        schema, name = cut(table.schema), cut(table.name)
        if not _fit(schema) or not _fit(name) or (schema, name) in found:
            continue
        if schema.startswith("pg_") or schema == "information_schema":
            continue
        columns: dict[str, Column] = {}
        for column in table.columns:
            kept = cut(column.name)
            if _fit(kept) and len(columns) < _COLUMNS:
                columns.setdefault(kept, Column(kept, column.type, _text(column.comment), column.required))
        key = tuple(map(cut, table.key))
        found[schema, name] = Table(
            schema,
            name,
            tuple(columns.values()),
            _text(table.comment),
            key if all(part in columns for part in key) else (),
            tuple(_cut(each) for each in table.references),
            table.view,
        )
    return tuple(_checked(table, found) for table in found.values())


def difference(before: Sequence[Table], after: Sequence[Table]) -> list[str]:
    """Statements that make of the one the other: tables that differ are made anew, all others stay as they are."""
    old = {(one.schema, one.name): one for one in before}
    new = {(one.schema, one.name): one for one in after}
    gone = [name for name in old if name not in new or not _same(old[name], new[name])]
    made = [name for name in new if name not in old or not _same(old[name], new[name])]
    found = [_drop(old[name]) for name in gone]
    had, has = {schema for schema, _ in old} | {"public"}, {schema for schema, _ in new} | {"public"}
    found += [f"DROP SCHEMA {identifier(schema)}" for schema in sorted(had - has)]
    for schema in sorted(has - had):
        found.append(f"CREATE SCHEMA {identifier(schema)}")
        found.append(f"GRANT USAGE ON SCHEMA {identifier(schema)} TO PUBLIC")
    for name in made:
        found += _create(new[name])
    for name, table in new.items():
        found += _references(old.get(name), table, set(made), set(gone))
    return found


def _fit(name: str) -> bool:
    return bool(name) and "\0" not in name


def _text(comment: str | None) -> str | None:
    return comment.replace("\0", "") if comment else None


def _cut(one: Reference) -> Reference:
    return Reference(tuple(map(cut, one.columns)), cut(one.schema), cut(one.table), tuple(map(cut, one.keys)))


def _checked(table: Table, known: dict[Name, Table]) -> Table:
    """Without references that PostgreSQL would refuse: they need the other's key, and columns of its types."""
    kept = []
    for one in table.references:
        other = known.get((one.schema, one.table))
        if other is None or other.view or table.view or not other.key or one.keys != other.key:
            continue
        mine = {column.name: column.type for column in table.columns}
        theirs = {column.name: column.type for column in other.columns}
        if [mine.get(name) for name in one.columns] == [theirs[name] for name in one.keys]:
            kept.append(one)
    return Table(
        table.schema,
        table.name,
        table.columns,
        table.comment,
        table.key,
        tuple(dict.fromkeys(kept)),
        table.view,
    )


def _same(one: Table, other: Table) -> bool:
    """Apart from references, which come and go by themselves."""
    return (one.columns, one.comment, one.key, one.view) == (
        other.columns,
        other.comment,
        other.key,
        other.view,
    )


def _qualified(table: Table | Reference) -> str:
    name = table.name if isinstance(table, Table) else table.table
    return f"{identifier(table.schema)}.{identifier(name)}"


def _drop(table: Table) -> str:
    return f"DROP {'VIEW' if table.view else 'TABLE'} {_qualified(table)} CASCADE"


def _create(table: Table) -> list[str]:
    name = _qualified(table)
    if table.view:
        columns = ", ".join(f"NULL::{one.type} AS {identifier(one.name)}" for one in table.columns)
        found = [f"CREATE VIEW {name} AS SELECT {columns}"]
    else:
        parts = [
            f"{identifier(one.name)} {one.type}{' NOT NULL' if one.required else ''}" for one in table.columns
        ]
        if table.key:
            parts.append(f"PRIMARY KEY ({_list(table.key)})")
        found = [f"CREATE TABLE {name} ({', '.join(parts)})"]
    if table.comment:
        kind = "VIEW" if table.view else "TABLE"
        found.append(f"COMMENT ON {kind} {name} IS {literal(table.comment)}")
    found += [
        f"COMMENT ON COLUMN {name}.{identifier(one.name)} IS {literal(one.comment)}"
        for one in table.columns
        if one.comment
    ]
    found.append(f"GRANT SELECT ON {name} TO PUBLIC")
    return found


def _references(before: Table | None, table: Table, made: set[Name], gone: set[Name]) -> list[str]:
    """Adds those that are not there: of a new table, to a table that was made anew, or declared since."""
    fresh = before is None or (table.schema, table.name) in made
    if not fresh and before is not None and any(one not in table.references for one in before.references):
        found = [_unlink(table)]
        wanted = table.references
    else:
        had = () if fresh or before is None else before.references
        found = []
        wanted = tuple(one for one in table.references if one not in had or (one.schema, one.table) in gone)
    return found + [
        f"ALTER TABLE {_qualified(table)} ADD FOREIGN KEY ({_list(one.columns)})"
        f" REFERENCES {_qualified(one)} ({_list(one.keys)})"
        for one in wanted
    ]


def _unlink(table: Table) -> str:
    """Drops every foreign key of a table, whatever PostgreSQL has named it."""
    name = literal(_qualified(table))
    return (
        "DO $ingot$ DECLARE one name; BEGIN FOR one IN SELECT conname FROM pg_catalog.pg_constraint"
        f" WHERE contype = 'f' AND conrelid = {name}::regclass"
        f" LOOP EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', {name}::regclass, one); END LOOP; END $ingot$"
    )


def _list(names: Iterable[str]) -> str:
    return ", ".join(map(identifier, names))
