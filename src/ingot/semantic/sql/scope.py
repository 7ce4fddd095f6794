"""The tables that a SELECT over rows sees: their names, and the columns of each with PostgreSQL's types."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sqlglot import exp

from ingot.errors import did_you_mean
from ingot.semantic.sql.columns import same
from ingot.semantic.sql.errors import SqlError, shown
from ingot.semantic.sql.postgres.writing import TYPE


class Source(Protocol):
    """A table of a FROM."""

    alias: str

    def names(self) -> Sequence[str]:
        """The columns that a star means."""

    def find(self, node: exp.Identifier) -> exp.Expr | None:
        """A column in the engine's words, typed; None where there is none of the name."""


def typed(name: str, table: str, kind: str) -> exp.Column:
    """A column of a known type."""
    made = exp.column(name, table=table, quoted=True)
    made.meta[TYPE] = kind
    return made


@dataclass(slots=True)
class Fixed:
    """A table whose columns are known: of a sub-query, of the lake."""

    alias: str
    columns: Mapping[str, str]
    """Name -> PostgreSQL's type."""

    def names(self) -> Sequence[str]:
        return list(self.columns)

    def find(self, node: exp.Identifier) -> exp.Expr | None:
        name = spelled(self.columns, node)
        return typed(name, self.alias, self.columns[name]) if name is not None else None


def spelled(columns: Mapping[str, object], node: exp.Identifier) -> str | None:
    """The name that an identifier means, as PostgreSQL compares names, and then whatever the case."""
    if node.name in columns:
        return node.name
    folded = node.name.casefold()
    return next((name for name in columns if name.casefold() == folded), None)


@dataclass(slots=True)
class Seen:
    """The tables of one SELECT in order, and what is around it."""

    sources: list[Source] = field(default_factory=list)
    merged: dict[str, exp.Expr] = field(default_factory=dict)
    """Columns of USING, which are no table's alone."""
    hidden: set[tuple[str, str]] = field(default_factory=set)
    """Tables and columns that a star leaves out, because USING has them."""
    outer: "Seen | None" = None

    def add(self, source: Source, at: exp.Expr) -> None:
        """Raises `SqlError` where the name stands twice."""
        if any(same(one.alias, source.alias) for one in self.sources):
            raise SqlError(
                f'table name "{shown(source.alias)}" specified more than once', at=at, sqlstate="42712"
            )
        self.sources.append(source)

    def has(self, node: exp.Column) -> bool:
        """Whether a column is one of these tables', or of those around."""
        try:
            self.column(node)
        except SqlError as error:
            return error.sqlstate == "42702"
        return True

    def column(self, node: exp.Column) -> exp.Expr:
        """A column in the engine's words.

        Raises:
            SqlError: for one that is not there, or in two tables.
        """
        found = self._own(node)
        if found is not None:
            return found
        if self.outer is not None and self.outer.has(node):
            return self.outer.column(node)
        raise self._missing(node)

    def _own(self, node: exp.Column) -> exp.Expr | None:
        if not isinstance(node.this, exp.Identifier):
            raise SqlError("A star cannot stand here.", at=node)
        if node.table:
            for one in self.sources:
                if same(one.alias, node.table):
                    return one.find(node.this)
            return None
        merged = self.merged.get(node.name.casefold())
        if merged is not None:
            return merged.copy()
        found = [tree for one in self.sources if (tree := one.find(node.this)) is not None]
        if len(found) > 1:
            raise SqlError(f'column reference "{shown(node.name)}" is ambiguous', at=node, sqlstate="42702")
        return found[0] if found else None

    def _missing(self, node: exp.Column) -> SqlError:
        if node.table and not any(same(one.alias, node.table) for one in self.all()):
            known = [one.alias for one in self.all()]
            return SqlError(
                f"There is no table '{shown(node.table)}' in FROM{did_you_mean(node.table, known)}.",
                at=node,
                sqlstate="42P01",
            )
        tables = [one for one in self.sources if not node.table or same(one.alias, node.table)]
        known = [name for one in tables for name in one.names()]
        where = f" of '{tables[0].alias}'" if len(tables) == 1 else ""
        return SqlError(
            f"There is no column '{shown(node.name)}'{where}{did_you_mean(node.name, known)}.",
            at=node,
            sqlstate="42703",
        )

    def all(self) -> Iterator[Source]:
        """These tables, and those around."""
        yield from self.sources
        if self.outer is not None:
            yield from self.outer.all()

    def star(self, table: str, at: exp.Expr) -> Iterator[tuple[str, exp.Expr]]:
        """The columns that a star means, and their names."""
        chosen = [one for one in self.sources if not table or same(one.alias, table)]
        if not chosen:
            raise SqlError(f"There is no table '{shown(table)}' in FROM.", at=at, sqlstate="42P01")
        if not table:
            for name, tree in self.merged.items():
                yield name, tree.copy()
        for one in chosen:
            for name in one.names():
                if not table and (one.alias, name.casefold()) in self.hidden:
                    continue
                found = one.find(exp.to_identifier(name, quoted=True))
                if found is not None:
                    yield name, found

    def using(self, names: list[str], right: Source, at: exp.Join) -> exp.Expr:
        """The condition of USING; its columns become one each."""
        tests = []
        for name in names:
            identifier = exp.to_identifier(name)
            left = self.merged.get(name.casefold())
            if left is None:
                owners = [
                    one for one in self.sources if one is not right and one.find(identifier) is not None
                ]
                if len(owners) != 1:
                    raise SqlError(
                        f'column "{shown(name)}" specified in USING clause does not exist in left table, or stands in several',
                        at=at,
                        sqlstate="42703",
                    )
                left = owners[0].find(identifier)
                self.hidden.add((owners[0].alias, name.casefold()))
            mine = right.find(identifier)
            if mine is None or left is None:
                raise SqlError(
                    f'column "{shown(name)}" specified in USING clause does not exist in right table',
                    at=at,
                    sqlstate="42703",
                )
            self.hidden.add((right.alias, name.casefold()))
            tests.append(exp.EQ(this=left.copy(), expression=mine.copy()))
            if at.side == "FULL":
                both = exp.Coalesce(this=left.copy(), expressions=[mine.copy()])
                self.merged[name.casefold()] = both
            else:
                self.merged[name.casefold()] = (mine if at.side == "RIGHT" else left).copy()
        return exp.and_(*tests, copy=False)
