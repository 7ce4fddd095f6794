"""The tables that a SELECT over rows sees: their names, and the columns of each with PostgreSQL's types."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from sqlglot import exp

from ingot.errors import did_you_mean
from ingot.semantic.sql.errors import SqlError, shown, whole_row
from ingot.semantic.sql.postgres import outputs
from ingot.semantic.sql.postgres.writing import TYPE
from ingot.semantic.sql.questions.columns import cut, same

OURS = "ours"
"""In the `meta` of a table: no name that somebody wrote, but what was looked up, or what the planner or a WITH made."""
ENGINE = outputs.ENGINE


class Source(Protocol):
    """A table of a FROM."""

    alias: str

    def names(self) -> Sequence[str]:
        """The columns that a NATURAL JOIN compares."""

    def star(self) -> Iterator[tuple[str, exp.Expr]]:
        """Names and trees of the columns that a star means."""

    def find(self, node: exp.Identifier) -> exp.Expr | None:
        """A column in the engine's words, typed; None where there is none of the name.

        Raises `SqlError` 42702 where there are several.
        """


@dataclass(frozen=True, slots=True)
class Col:
    """A column of a table whose columns are known."""

    name: str
    type: str
    """PostgreSQL's."""
    inner: str
    """Its name in the engine; columns of one name have different ones."""
    engine: str = ""
    """The engine's type, where it is a column of a table and nothing else."""

    def of(self, table: str) -> exp.Column:
        """It in the engine's words."""
        made = typed(self.inner, table, self.type)
        if self.engine:
            made.meta[ENGINE] = self.engine
        return made


def typed(name: str, table: str, kind: str) -> exp.Column:
    """A column of a known type."""
    made = exp.column(name, table=table, quoted=True)
    made.meta[TYPE] = kind
    return made


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
        made.append(replace(one, inner=inner))
    return tuple(made)


def renamed(columns: Sequence[Col], names: Sequence[str], at: exp.Expr) -> tuple[Col, ...]:
    """The columns under other names, as far as there are some. Raises `SqlError` where there are more names."""
    if len(names) > len(columns):
        raise SqlError(
            f"a table has {len(columns)} columns available but {len(names)} columns specified",
            at=at,
            sqlstate="42P10",
        )
    named = [replace(one, name=name, inner=name) for name, one in zip(names, columns, strict=False)]
    return distinct([*named, *columns[len(names) :]]) if names else tuple(columns)


def folded(node: exp.Identifier) -> str:
    """What an identifier names for PostgreSQL: in lower case, unless it is quoted."""
    name: str = node.name
    return name if node.args.get("quoted") else name.lower()


@dataclass(slots=True)
class Fixed:
    """A table whose columns are known: of a sub-query, of the lake."""

    alias: str
    columns: Sequence[Col]

    def names(self) -> Sequence[str]:
        return [one.name for one in self.columns]

    def star(self) -> Iterator[tuple[str, exp.Expr]]:
        for one in self.columns:
            yield one.name, one.of(self.alias)

    def find(self, node: exp.Identifier) -> exp.Expr | None:
        """As PostgreSQL compares names, and then whatever the case: members of the model may have capitals."""
        for name in (folded(node), node.name):
            found = [one for one in self.columns if one.name == name]
            if found:
                break
        else:
            wanted = node.name.casefold()
            found = [one for one in self.columns if one.name.casefold() == wanted]
            found = found or [one for one in self.columns if same(cut(one.name), cut(wanted))]
        if len(found) > 1:
            raise SqlError(f'column reference "{shown(node.name)}" is ambiguous', at=node, sqlstate="42702")
        return found[0].of(self.alias) if found else None


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
        found = self.own(node)
        if found is not None:
            return found
        if self.outer is not None and self.outer.has(node):
            return self.outer.column(node)
        raise self._missing(node)

    def own(self, node: exp.Column) -> exp.Expr | None:
        """A column of these tables in the engine's words; None where it is none of theirs. Raises `SqlError`."""
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
                f'missing FROM-clause entry for table "{shown(node.table)}"{did_you_mean(node.table, known)}',
                at=node,
                sqlstate="42P01",
            )
        if not node.table and any(same(one.alias, node.name) for one in self.all()):
            return whole_row(node.name, node)
        tables = [one for one in self.sources if not node.table or same(one.alias, node.table)]
        known = [name for one in tables for name, _ in one.star()]
        said = f"{node.table}.{node.name}" if node.table else f'"{node.name}"'
        return SqlError(
            f"column {shown(said)} does not exist{did_you_mean(node.name, known)}",
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
            if not table:
                raise SqlError("SELECT * with no tables specified is not valid", at=at)
            raise SqlError(f'missing FROM-clause entry for table "{shown(table)}"', at=at, sqlstate="42P01")
        if not table:
            for name, tree in self.merged.items():
                yield name, tree.copy()
        for one in chosen:
            for name, tree in one.star():
                if table or (one.alias, name.casefold()) not in self.hidden:
                    yield name, tree

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
