"""What names in a SELECT over tables mean, as PostgreSQL looks them up."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from ingot.errors import did_you_mean, nearest
from ingot.semantic.sql.errors import SqlError, shown


@dataclass(frozen=True, slots=True)
class Relation:
    """What can stand in FROM: where the engine finds it, and the engine's type of each column."""

    columns: Mapping[str, str]
    parts: tuple[str, ...] = ()
    """Its name in the engine."""


Look = Callable[[str, str, str], Relation]
"""Catalog (or ""), schema (or "") and name of a table -> the table; raises `SqlError` 42P01 without a place."""


@dataclass(frozen=True, slots=True)
class Col:
    """A column of a table, of a sub-query or of the statement."""

    name: str
    type: str
    """PostgreSQL's."""
    inner: str
    """Its name in the engine; columns of one name have different ones."""
    engine: str = ""
    """The engine's type, where it is a column of a table and nothing else."""


@dataclass(frozen=True, slots=True)
class From:
    """One table of a FROM."""

    alias: str
    columns: tuple[Col, ...]

    def find(self, identifier: exp.Identifier) -> list[Col]:
        """The columns of a name as PostgreSQL compares names, and then whatever the case."""
        name = name_of(identifier)
        found = [one for one in self.columns if one.name == name]
        return found or [one for one in self.columns if one.name.casefold() == name.casefold()]


@dataclass(slots=True)
class Scope:
    """The tables of one SELECT, in order, and the scope around it."""

    tables: list[From] = field(default_factory=list)
    merged: dict[str, Col] = field(default_factory=dict)
    """Columns of USING, which are no table's alone, by folded name."""
    outer: "Scope | None" = None

    def add(self, table: From, at: exp.Expr) -> None:
        """One more table. Raises `SqlError` 42712 where its name stands there already."""
        if table.alias and any(table.alias.casefold() == one.alias.casefold() for one in self.tables):
            raise SqlError(
                f'table name "{shown(table.alias)}" specified more than once', at=at, sqlstate="42712"
            )
        self.tables.append(table)

    def own(self, node: exp.Column) -> tuple[Col, str] | None:
        """A column of this SELECT's tables and the table's name (none for a merged column).

        Raises `SqlError` 42702 where there are several.
        """
        wanted = node.args.get("table")
        if wanted is None and node.name.casefold() in self.merged:
            return self.merged[node.name.casefold()], ""
        found = [
            (col, one.alias)
            for one in self.tables
            if wanted is None or wanted.name.casefold() == one.alias.casefold()
            for col in one.find(node.this)
        ]
        if len(found) > 1:
            raise SqlError(f'column reference "{shown(node.name)}" is ambiguous', at=node, sqlstate="42702")
        return found[0] if found else None

    def column(self, node: exp.Column) -> tuple[Col, str]:
        """A column of these tables, or of those around them. Raises `SqlError`."""
        at: Scope | None = self
        while at is not None:
            found = at.own(node)
            if found is not None:
                return found
            at = at.outer
        raise self._missing(node)

    def _missing(self, node: exp.Column) -> SqlError:
        tables = list(self._all())
        wanted = node.args.get("table")
        if wanted is not None:
            tables = [one for one in tables if one.alias.casefold() == wanted.name.casefold()]
            if not tables:
                known = [one.alias for one in self.tables]
                return SqlError(
                    f'missing FROM-clause entry for table "{shown(node.table)}"{did_you_mean(node.table, known)}',
                    at=node,
                    sqlstate="42P01",
                )
        said = f"{node.table}.{node.name}" if wanted is not None else f'"{node.name}"'
        near = nearest(node.name, (col.name for one in tables for col in one.columns))
        hint = f'Perhaps you meant to reference the column "{near}".' if near else None
        return SqlError(f"column {shown(said)} does not exist", at=node, sqlstate="42703", hint=hint)

    def _all(self) -> Iterable[From]:
        at: Scope | None = self
        while at is not None:
            yield from at.tables
            at = at.outer


def name_of(identifier: exp.Expr | None) -> str:
    """What an identifier names: in lower case, unless it is quoted."""
    if identifier is None:
        return ""
    return identifier.name if identifier.args.get("quoted") else identifier.name.lower()


def quoted(name: str) -> exp.Identifier:
    """A name as the engine reads it."""
    return exp.to_identifier(name, quoted=True)


def distinct(columns: Iterable[Col]) -> tuple[Col, ...]:
    """The columns with a name of its own in the engine for each."""
    taken: set[str] = set()
    made = []
    for one in columns:
        inner, n = one.inner, 1
        while inner.casefold() in taken:
            n += 1
            inner = f"{one.inner}#{n}"
        taken.add(inner.casefold())
        made.append(Col(one.name, one.type, inner, one.engine))
    return tuple(made)
