"""Measures over joins that a statement writes itself: of each group, the rows of a measure's table count once each.

Owns what the columns of such a FROM are called while its SELECT is read, and the questions about its rows and groups.
How rows are joined is `tables`', what a SELECT makes of them `selecting`'s, how measures are computed the planner's.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlglot import exp

from ingot.semantic.model import Dimension, Found, Label, Measure, Path
from ingot.semantic.planner.fanout import Leaf
from ingot.semantic.sql.around import Around
from ingot.semantic.sql.errors import SqlError
from ingot.semantic.sql.postgres.writing import TYPE
from ingot.semantic.sql.questions.asking import Asking, Part, Parts
from ingot.semantic.sql.questions.columns import Scope, Table, changed, is_measure, mark, marked, members
from ingot.semantic.sql.questions.rowwise import has_value, keeps_rows, nothing, repeated
from ingot.semantic.sql.rows.cubes import Rows
from ingot.semantic.sql.rows.scope import Seen, Source
from ingot.semantic.sql.rows.tables import Tables

_LABEL = Label("", "", public=False)
LOOKING = "looking"
"""In the `meta` of a sub-query that is not written yet, because it may look at the tables around it."""
Inner = tuple[int | None, exp.Expr | int | str]
"""A table's number, and what a column is there; None and its name for one of USING."""


@dataclass(frozen=True, slots=True)
class From:
    """FROM of a SELECT, read once: its rows can be asked for once, too."""

    select: exp.Select
    tables: Tables

    @property
    def sources(self) -> list[Source]:
        return self.tables.seen.sources


class Joining:
    """One FROM whose rows are asked for by a SELECT; `around` knows its columns as members."""

    def __init__(
        self,
        around: Around,
        read: Callable[[], From],
        *,
        once: frozenset[int],
        alike: bool,
        outer: Seen | None,
    ) -> None:
        """`read` reads FROM anew: each question has its own.

        `once`: the numbers of tables of which no row stands twice in the joined rows. `alike`: these are the same rows,
        whatever is asked of them; a view brings rows of other cubes with it. `outer`: where it stands.
        """
        self.outside = around
        self.inner: dict[str, Inner] = {}
        self.once = once
        self.alike = alike
        self.outer = outer
        self.computed: set[str] = set()
        """Columns of sub-queries that are computed from what rows have of measures."""
        self._read = read
        self._first: From | None = read()
        self._members: dict[str, Found] = {}
        self._types: dict[str, str] = {}
        self.around = around.over(self._members, self._types)
        seen = self._first.tables.seen
        tables = [Table(one.alias, self._columns(n, one)) for n, one in enumerate(seen.sources)]
        merged = {
            name: self._plain(name, (None, name), self._type(tree)) for name, tree in seen.merged.items()
        }
        self.scope = Scope(tables, merged=merged, hidden=set(seen.hidden), joining=self)

    def question(self, *, ungrouped: bool) -> Asking:
        """A question for the rows, or for groups of them."""
        return RowQuestion(self) if ungrouped else GroupQuestion(self)

    def check(self, tree: exp.Expr, at: exp.Expr) -> None:
        """Raises `SqlError` for a column that cannot be asked for."""
        name = marked(tree)
        if name in self.computed:
            raise SqlError(
                f"'{name}' is computed from a measure in a sub-query of rows: aggregate it there.",
                at=at,
                sqlstate="42803",
            )

    def outer_column(self, node: exp.Column) -> exp.Expr | None:
        """A column of what is around the SELECT, in the engine's words; None where it is none."""
        return self.outer.column(node) if self.outer is not None and self.outer.has(node) else None

    def fresh(self) -> From:
        """FROM, of which nothing is asked yet."""
        found, self._first = self._first or self._read(), None
        return found

    def _columns(self, number: int, source: Source) -> dict[str, exp.Expr]:
        if isinstance(source, Rows):
            return {name: self._outward(number, source, name, tree) for name, tree in source.columns.items()}
        found: dict[str, exp.Expr] = {}
        twice: set[str] = set()
        for place, (name, tree) in enumerate(source.star()):
            if name in found:
                twice.add(name)
            found[name] = self._plain(f"{source.alias}.{name}", (number, place), self._type(tree))
        return {name: tree for name, tree in found.items() if name not in twice}

    def _outward(self, number: int, source: Rows, name: str, tree: exp.Expr) -> exp.Expr:
        """A column of a cube, view or sub-query of rows under a name of this FROM's."""
        name = f"{source.alias}.{name}"
        member = marked(tree)
        if member is not None:
            kind = source.around.member_type(member)
            return mark(self._named(name, (number, tree), source.around.seen.members[member], kind))
        if any(is_measure(source.around.seen.members[one]) for one in members(tree)):
            self.computed.add(name)
        return self._plain(name, (number, tree), source.around.type(tree))

    def _type(self, tree: exp.Expr) -> str:
        return self.outside.writing.type_of(tree)

    def _plain(self, name: str, inner: Inner, kind: str) -> exp.Expr:
        dimension = Dimension("", name, "string", exp.null(), (), _LABEL)
        return mark(self._named(name, inner, Found("", dimension, (), _LABEL), kind))

    def _named(self, name: str, inner: Inner, found: Found, kind: str) -> str:
        while self.inner.get(name, inner) != inner:
            name += "'"
        self.inner[name], self._members[name], self._types[name] = inner, found, kind
        return name


class RowQuestion:
    """The joined rows; see `Asking`."""

    is_empty = False

    def __init__(self, joining: Joining) -> None:
        self.joining = joining
        self.around = joining.around
        self.alias = joining.outside.alias()
        self._columns: dict[exp.Expr, exp.Column] = {}
        self._handed: dict[exp.Expr, str] = {}
        self._from = joining.fresh()
        self._tests: list[exp.Expr] = []

    def dimension(self, tree: exp.Expr) -> exp.Column:
        """See `Asking.dimension`."""
        found = self._columns.get(tree)
        if found is None:
            found = exp.column(f"c{len(self._columns) + 1}", table=self.alias, quoted=True)
            found.meta[TYPE] = self.around.type(tree)
            self._columns[tree] = found
        return found.copy()

    def measure(self, name: str) -> exp.Column:
        """See `Asking.measure`: what one row has of it."""
        return self.dimension(mark(name))

    def of_row(self, node: exp.Expr) -> exp.Expr:
        """See `Asking.of_row`."""
        name = marked(node)
        if name is None:
            return node
        member = self.around.seen.members[name].member
        if isinstance(member, Measure) and not has_value(self.around.model, member):
            return nothing(self.around.member_type(name))
        return self.dimension(node)

    def of_star(self, tree: exp.Expr) -> exp.Expr:
        """See `Asking.of_star`."""
        name = marked(tree)
        member = self.around.seen.members[name].member if name is not None else None
        if name is not None and isinstance(member, Measure) and not keeps_rows(self.around.model, member):
            return nothing(self.around.member_type(name))
        return changed(tree.copy(), self.of_row)

    def added_up(self, name: str, at: exp.Expr) -> None:
        """See `Asking.added_up`."""
        number, inner = self.joining.inner[name]
        member = marked(inner) if isinstance(inner, exp.Expr) else None
        source = self._from.sources[number] if number is not None else None
        if number not in self.joining.once or member is None or not isinstance(source, Rows):
            raise repeated(name, at)
        source.question.added_up(member, at)

    def where(self, tree: exp.Expr) -> None:
        """See `Asking.where`."""
        for name in members(tree):
            if isinstance(self.around.seen.members[name].member, Measure):
                raise SqlError(
                    f"'{name}' is a measure: put the condition into HAVING.", at=tree, sqlstate="42803"
                )
        self._tests.append(tree)

    def parts(self, name: str, *, apart: bool) -> Parts:
        """See `Asking.parts`."""
        number, inner = self.joining.inner[name]
        source = self._from.sources[number] if number is not None else None
        member = marked(inner) if isinstance(inner, exp.Expr) else None
        assert isinstance(source, Rows)
        assert member is not None
        once = self.joining.once
        found, missing = source.question.parts(member, apart=apart or number not in once)
        for leaf in missing:
            cube = leaf[1][-1]
            others = [
                (n, one)
                for n, one in enumerate(self._from.sources)
                if isinstance(one, Rows) and one.own.owner == cube
            ]
            if len(others) != 1 or len(leaf[1]) != 1:
                raise SqlError(
                    f"'{name}' is computed from another cube, too, which does not stand in this FROM once: aggregate "
                    "it in a sub-query, and join that.",
                    sqlstate="0A000",
                )
            n, other = others[0]
            found |= other.question.parts(leaf[0], apart=apart or n not in once)[0]
        return {leaf: self._part(one) for leaf, one in found.items()}, []

    def table(self) -> exp.Subquery:
        """See `Asking.table`."""
        around = self.joining.outside
        select = self._from.select
        columns = []
        for tree, column in self._columns.items():
            found = around.meant(changed(tree.copy(), self._engine)).tree
            columns.append(exp.alias_(found, column.name, quoted=True, copy=False))
        columns += [exp.alias_(tree.copy(), name, quoted=True) for tree, name in self._handed.items()]
        select.set("expressions", columns or [exp.alias_(exp.Literal.number(1), "c0", quoted=True)])
        tests = [around.tested(self._looking(changed(one.copy(), self._engine))) for one in self._tests]
        if tests:
            select.set("where", exp.Where(this=exp.and_(*tests, copy=False)))
        self._from.tables.place()
        return exp.Subquery(
            this=select, alias=exp.TableAlias(this=exp.to_identifier(self.alias, quoted=True))
        )

    def _part(self, one: Part) -> Part:
        value = self._further(one.value) if one.value is not None else None
        return Part(value, tuple(self._further(key) for key in one.keys))

    def _further(self, tree: exp.Expr) -> exp.Expr:
        """A column of a table that is handed on as it is."""
        name = self._handed.setdefault(tree, f"k{len(self._handed) + 1}")
        return exp.column(name, table=self.alias, quoted=True)

    def _looking(self, tree: exp.Expr) -> exp.Expr:
        """`tree`, which is changed, with the sub-queries in it written that may look at the tables of FROM."""
        if isinstance(tree, exp.Query):
            tables = self._from.tables
            return tables.means.query(tree, tables.seen) if tree.meta.pop(LOOKING, False) else tree
        for key, value in list(tree.args.items()):
            if isinstance(value, exp.Expr):
                tree.set(key, self._looking(value))
            elif isinstance(value, list):
                tree.set(key, [self._looking(one) if isinstance(one, exp.Expr) else one for one in value])
        return tree

    def _engine(self, node: exp.Expr) -> exp.Expr:
        """A column of FROM in the engine's words."""
        name = marked(node)
        if name is None:
            return node
        number, inner = self.joining.inner[name]
        if number is None:
            return self._from.tables.seen.merged[str(inner)].copy()
        source = self._from.sources[number]
        if isinstance(inner, exp.Expr):
            assert isinstance(source, Rows)
            return source.question.of_row(inner) if marked(inner) else source.question.dimension(inner)
        assert isinstance(inner, int)
        return list(source.star())[inner][1]


class GroupQuestion:
    """Measures in groups of the joined rows; see `Asking`."""

    is_empty = False

    def __init__(self, joining: Joining) -> None:
        self.joining = joining
        self.alias = joining.outside.alias()
        self._rows = RowQuestion(joining)
        self._columns: dict[exp.Expr, str] = {}
        self._measures: dict[str, str] = {}
        self._aggregates: dict[str, exp.Expr] = {}

    def dimension(self, tree: exp.Expr) -> exp.Column:
        """See `Asking.dimension`."""
        column = self._rows.dimension(tree)
        self._columns[tree] = column.name
        return self._column(column.name, column.meta[TYPE])

    def measure(self, name: str) -> exp.Column:
        """See `Asking.measure`."""
        column = self._measures.setdefault(name, f"m{len(self._measures) + 1}")
        return self._column(column, self.joining.around.member_type(name))

    def aggregate(self, tree: exp.Expr, kind: str) -> exp.Column:
        """The column that has an aggregate over the joined rows of each group, of a type of PostgreSQL's."""
        name = f"a{len(self._aggregates) + 1}"
        self._aggregates[name] = changed(
            tree.copy(), lambda node: self._rows.dimension(node) if marked(node) is not None else node
        )
        return self._column(name, kind)

    def of_row(self, node: exp.Expr) -> exp.Expr:
        """See `Asking.of_row`."""
        return self._rows.of_row(node)

    def of_star(self, tree: exp.Expr) -> exp.Expr:
        """See `Asking.of_star`."""
        return self._rows.of_star(tree)

    def added_up(self, name: str, at: exp.Expr) -> None:
        """See `Asking.added_up`."""
        self._rows.added_up(name, at)

    def where(self, tree: exp.Expr) -> None:
        """See `Asking.where`."""
        self._rows.where(tree)

    def parts(self, name: str, *, apart: bool) -> Parts:
        """See `Asking.parts`."""
        return self._rows.parts(name, apart=apart)

    def table(self) -> exp.Subquery:
        """See `Asking.table`."""
        together = self._together()
        rows = self._rows.table()
        dimensions = list(self._columns.values())
        meant = self.joining.outside.meant
        aggregates = {name: meant(tree).tree for name, tree in self._aggregates.items()}
        parts: list[tuple[exp.Query, list[str]]] = []
        for one in together:
            found = [self.joining.around.seen.members[name].name for name in one.names]
            select = self.joining.outside.counted(rows, dimensions, found, one.values, one.keys)
            parts.append((select, [self._measures[name] for name in one.names]))
        if aggregates or not parts:
            parts = _with(parts, aggregates, rows, dimensions)
        return self._side_by_side(parts, dimensions)

    def _side_by_side(self, parts: list[tuple[exp.Query, list[str]]], dimensions: list[str]) -> exp.Subquery:
        """SELECTs of the same groups as one: the groups' columns, then those of each."""
        made = exp.Select()
        columns: list[exp.Column] = []
        for n, (select, names) in enumerate(parts):
            part = _named(select, self.joining.outside.alias(), [*dimensions, *names])
            keys = [exp.column(name, table=part.alias, quoted=True) for name in dimensions]
            if n == 0:
                columns = [*keys]
                made.from_(part, copy=False)
            else:
                tests = [
                    exp.NullSafeEQ(this=left.copy(), expression=right)
                    for left, right in zip(columns, keys, strict=False)
                ]
                on = exp.and_(exp.true(), *tests, copy=False)
                made.append("joins", exp.Join(this=part, kind="INNER", on=on))
            columns += [exp.column(name, table=part.alias, quoted=True) for name in names]
        made.set("expressions", columns)
        return _named(made, self.alias, [one.name for one in columns])

    def _together(self) -> list["_Together"]:
        """The measures that can be computed together: of none of their cubes two tables are meant."""
        found: list[_Together] = []
        for name in self._measures:
            parts, _ = self._rows.parts(name, apart=False)
            keys: dict[Path, tuple[str, ...]] = {}
            for (_, path), part in parts.items():
                keys[path] = tuple(key.name for key in part.keys) or keys.get(path, ())
            values = {leaf: part.value.name for leaf, part in parts.items() if part.value is not None}
            one = _Together([name], values, keys)
            real = self.joining.around.seen.members[name].name
            for other in found:
                told = {self.joining.around.seen.members[each].name for each in other.names}
                if real not in told and other.takes(one):
                    break
            else:
                found.append(one)
        return found

    def _column(self, name: str, kind: str) -> exp.Column:
        made = exp.column(name, table=self.alias, quoted=True)
        made.meta[TYPE] = kind
        return made


def _with(
    parts: list[tuple[exp.Query, list[str]]],
    aggregates: dict[str, exp.Expr],
    rows: exp.Subquery,
    dimensions: list[str],
) -> list[tuple[exp.Query, list[str]]]:
    """`parts`, the first of which are changed, with aggregates over the rows; the groups alone where nothing is asked."""
    for select, names in parts:
        source = select.args.get("from_")
        if isinstance(select, exp.Select) and source is not None and source.this == rows:
            # It is over the rows as they are: these are read once for both.
            select.select(*aggregates.values(), copy=False)
            names.extend(aggregates)
            return parts
    keys = [exp.column(name, table=rows.alias, quoted=True) for name in dimensions]
    select = exp.Select(expressions=[*keys, *aggregates.values()]).from_(rows.copy(), copy=False)
    if not aggregates:
        select.set("distinct", exp.Distinct())
    elif keys:
        select.group_by(*(exp.Literal.number(n) for n in range(1, len(keys) + 1)), copy=False)
    return [*parts, (select, list(aggregates))]


@dataclass(slots=True)
class _Together:
    """Measures, what rows bring to them, and what tells these rows apart."""

    names: list[str]
    values: dict[Leaf, str]
    keys: dict[Path, tuple[str, ...]]

    def takes(self, other: "_Together") -> bool:
        """Adds those of another one, unless they mean other rows by the same name."""
        if any(self.keys.get(path, each) != each for path, each in other.keys.items()):
            return False
        if any(self.values.get(leaf, each) != each for leaf, each in other.values.items()):
            return False
        self.names += other.names
        self.values |= other.values
        self.keys |= other.keys
        return True


def _named(select: exp.Query, alias: str, columns: list[str]) -> exp.Subquery:
    names = [exp.to_identifier(one, quoted=True) for one in columns]
    return exp.Subquery(
        this=select, alias=exp.TableAlias(this=exp.to_identifier(alias, quoted=True), columns=names)
    )
