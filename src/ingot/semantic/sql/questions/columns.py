"""What the names in a SELECT over the model mean: each column becomes a mark of a member, or an expression of such."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlglot import exp

from ingot.errors import did_you_mean
from ingot.semantic.model import Dimension, Found, Measure, Model, Segment
from ingot.semantic.sql.errors import SqlError, shown, whole_row

if TYPE_CHECKING:
    from ingot.semantic.sql.questions.joining import Joining
    from ingot.semantic.sql.questions.keyed import KeyedJoin

Change = Callable[[exp.Expr], exp.Expr]

_MEMBER = "\x00member"
JOIN_FIELD = "__cubejoinfield"
USER = "__user"
MAX_GROWTH = 50_000
"""Nodes that a SELECT may come to, once the columns of its sub-queries stand for what they are."""


def mark(full_name: str) -> exp.Column:
    """Stands for a member."""
    return exp.column(full_name, table=_MEMBER, quoted=True)


def marked(node: exp.Expr) -> str | None:
    """The full name of the member that a node stands for."""
    return node.name if isinstance(node, exp.Column) and node.table == _MEMBER else None


def members(tree: exp.Expr) -> Iterator[str]:
    """The full names of all members in a tree."""
    for node in inside(tree):
        name = marked(node)
        if name is not None:
            yield name


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a FROM: its name there and its columns."""

    alias: str
    columns: Mapping[str, exp.Expr]
    owner: str | None = None
    """The cube or view that it is."""
    ambiguous: frozenset[str] = frozenset()
    """Names in small letters that several of its columns have, which are none of `columns`."""

    def find(self, identifier: exp.Identifier) -> exp.Expr | None:
        """The column of a name, as PostgreSQL compares names, and then whatever the case. Raises `SqlError`."""
        name = identifier.name
        if name.casefold() in self.ambiguous:
            raise SqlError(f"The column '{shown(name)}' is ambiguous.", at=identifier, sqlstate="42702")
        if name in self.columns:
            return self.columns[name]
        for kept in (str, cut):
            found = (tree for key, tree in self.columns.items() if same(kept(key), kept(name)))
            if (tree := next(found, None)) is not None:
                return tree
        return None


@dataclass(slots=True)
class Scope:
    """The tables of one semantic SELECT, and the conditions that sub-queries brought."""

    tables: list[Table]
    where: list[exp.Expr] = field(default_factory=list)
    owner: str | None = None
    """The cube or view behind a sub-query."""
    joins: tuple["KeyedJoin", ...] = ()
    """The joins that were written by their keys."""
    merged: dict[str, exp.Expr] = field(default_factory=dict)
    """Columns of USING, which are no table's alone."""
    hidden: set[tuple[str, str]] = field(default_factory=set)
    """Tables and columns that a star leaves out, because USING has them."""
    joining: "Joining | None" = None
    """What asks for its rows, where they are not joined by the model."""

    @property
    def owners(self) -> list[str]:
        """The cubes and views that it is made of."""
        own = [table.owner for table in self.tables if table.owner is not None]
        return own or ([self.owner] if self.owner is not None else [])

    def column(self, node: exp.Column) -> exp.Expr:
        """What a column means. Raises `SqlError` for one that is not there, or in two tables."""
        merged = self.merged.get(node.name.casefold()) if not node.table else None
        if merged is not None:
            return merged.copy()
        if self.joining is None:
            return self._column(node)
        try:
            found = self._column(node)
        except SqlError as error:
            around = self.joining.outer_column(node) if error.sqlstate in ("42703", "42P01") else None
            if around is None:
                raise
            return around
        self.joining.check(found, node)
        return found

    def _column(self, node: exp.Column) -> exp.Expr:
        tables = self.tables
        if node.table:
            tables = [one for one in tables if same(one.alias, node.table)]
            if not tables:
                known = [one.alias for one in self.tables]
                raise SqlError(
                    f"There is no table '{shown(node.table)}' in FROM{did_you_mean(node.table, known)}.",
                    at=node,
                    sqlstate="42P01",
                )
        if not isinstance(node.this, exp.Identifier):
            raise SqlError("A star cannot stand here.", at=node)
        found = [tree for one in tables if (tree := one.find(node.this)) is not None]
        if len(found) > 1:
            raise SqlError(f"The column '{shown(node.name)}' is ambiguous.", at=node, sqlstate="42702")
        if not found:
            if node.name.casefold() == USER:
                return exp.null()
            if not node.table and any(same(one.alias, node.name) for one in tables):
                raise whole_row(node.name, node)
            known = [name for one in tables for name in one.columns]
            where = f" of '{tables[0].alias}'" if len(tables) == 1 else ""
            raise SqlError(
                f"There is no column '{shown(node.name)}'{where}{did_you_mean(node.name, known)}.",
                at=node,
                sqlstate="42703",
            )
        return found[0].copy()

    def star(self, table: str) -> list[tuple[str, exp.Expr]]:
        """Names and meanings of the columns that a star stands for."""
        chosen = [one for one in self.tables if not table or same(one.alias, table)]
        found = [] if table else list(self.merged.items())
        for one in chosen:
            for name, tree in one.columns.items():
                if table or (one.alias, name.casefold()) not in self.hidden:
                    found.append((name, tree))
        return found

    def filled(self, tree: exp.Expr) -> exp.Expr:
        """`tree`, which is changed, with each column as what it means; sub-queries keep theirs."""
        size = 0

        def one(node: exp.Expr) -> exp.Expr:
            nonlocal size
            if not isinstance(node, exp.Column) or marked(node) is not None:
                return node
            found = self.column(node)
            size += sum(1 for _ in found.walk())
            if size > MAX_GROWTH:
                raise SqlError("The statement's sub-queries build on each other too much.", sqlstate="54001")
            atom = isinstance(found, exp.Column | exp.Literal | exp.Null | exp.Boolean)
            placed = found if atom else exp.Paren(this=found)
            start = [each.meta["start"] for each in node.walk() if "start" in each.meta]
            if start:
                placed.meta["start"] = min(start)
            return placed

        return changed(tree, one)


def changed(tree: exp.Expr, change: Change) -> exp.Expr:
    """`tree`, which is changed; what `change` gives for a node is not looked into, nor are sub-queries."""
    if isinstance(tree, exp.Query):
        return tree
    replaced = change(tree)
    if replaced is not tree:
        return replaced
    for key, value in list(tree.args.items()):
        if isinstance(value, exp.Expr):
            tree.set(key, changed(value, change))
        elif isinstance(value, list):
            tree.set(
                key,
                [changed(each, change) if isinstance(each, exp.Expr) else each for each in value],
            )
    return tree


def inside(tree: exp.Expr) -> Iterator[exp.Expr]:
    """The nodes of an expression, but not those of the sub-queries in it."""
    return (
        node
        for node in tree.walk(prune=lambda each: isinstance(each, exp.Query))
        if not isinstance(node, exp.Query)
    )


def cut(name: str) -> str:
    """A name as PostgreSQL keeps it, and its catalog shows it: 63 bytes."""
    return name.encode()[:63].decode("utf-8", "ignore")


def same(one: str, other: str) -> bool:
    """Whether two names of tables are one."""
    return one.casefold() == other.casefold()


def faces(model: Model) -> Iterable[str]:
    """The cubes and views that can be tables."""
    cubes = (name for name, one in model.cubes.items() if one.label.public)
    return (*cubes, *(name for name, one in model.views.items() if one.label.public))


def face(model: Model, name: str) -> str | None:
    """The cube or view of a name; exact before any other case."""
    known = list(faces(model))
    if name in known:
        return name
    found = next((one for one in known if same(one, name)), None)
    return found or next((one for one in known if same(cut(one), cut(name))), None)


def columns(model: Model, owner: str) -> Iterator[tuple[str, Found]]:
    """The columns of a cube or view in their order, by their names: what catalogs show, and what a star means."""
    if owner in model.views:
        names: Iterable[str] = model.views[owner].members
    else:
        cube = model.cubes[owner]
        names = (*cube.dimensions, *cube.measures, *cube.segments)
    for name in names:
        found = model.members.get(f"{owner}.{name}")
        if found is not None and found.label.public:
            yield name, found


def table(model: Model, owner: str, alias: str) -> Table:
    """A cube or view as a table: its members that may be asked for."""
    return Table(alias, {name: mark(found.name) for name, found in columns(model, owner)}, owner)


def is_measure(found: Found) -> bool:
    return isinstance(found.member, Measure)


def is_dimension(found: Found) -> bool:
    return isinstance(found.member, Dimension)


def is_segment(found: Found) -> bool:
    return isinstance(found.member, Segment)


def is_time(found: Found) -> bool:
    return isinstance(found.member, Dimension) and found.member.type == "time"
