"""One question that a SELECT asks of the model: its columns and conditions -> a derived table.

It goes the way of every query: hooks, names, policies, rollups. What Cube's queries cannot say goes with it as
expressions over members, which the planner sees as dimensions without a name of their own.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from sqlglot import exp

from ingot.semantic import marks
from ingot.semantic.model import Dimension, Found, Label, Measure, Model, Path
from ingot.semantic.planner.aggregates import contribution
from ingot.semantic.planner.fanout import Grain, Leaf, leaf_path, plain_name, shared_paths, staged
from ingot.semantic.planner.given import by_itself
from ingot.semantic.planner.resolve import Column, Condition, Resolved, Tree, member_paths
from ingot.semantic.planner.times import GRANULARITIES
from ingot.semantic.query import MAX_VALUES, parse
from ingot.semantic.sql.allowed import called
from ingot.semantic.sql.around import Around
from ingot.semantic.sql.errors import SqlError
from ingot.semantic.sql.postgres.kinds import ANY, TEXTS, named
from ingot.semantic.sql.postgres.writing import TYPE
from ingot.semantic.sql.questions.asking import Part, Parts
from ingot.semantic.sql.questions.columns import changed, is_segment, marked, members
from ingot.semantic.sql.questions.filters import as_filter, segment
from ingot.semantic.sql.questions.keyed import KeyedJoin, OtherJoinError, as_written, rows_of
from ingot.semantic.sql.questions.rowwise import has_value, keeps_rows, nothing, repeated
from ingot.semantic.sql.rows.scope import ENGINE

_LABEL = Label("", "", public=False)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A column of a question: a member, a period of a time, or an expression over dimensions."""

    name: str
    """In the derived table."""
    member: str | None = None
    granularity: str | None = None
    tree: exp.Expr | None = None
    type: str = ANY
    """PostgreSQL's."""
    engine: str = ""
    """The engine's, of a member with so many digits."""


@dataclass
class Question:
    """What is asked of the model. `ungrouped`: for its rows, not for groups of them."""

    around: Around
    ungrouped: bool = False
    dimensions: dict[exp.Expr, Wanted] = field(default_factory=dict)
    measures: dict[str, Wanted] = field(default_factory=dict)
    filters: list[dict[str, Any]] = field(default_factory=list)
    segments: list[str] = field(default_factory=list)
    tests: list[exp.Expr] = field(default_factory=list)
    """Conditions that no filter can say."""
    joins: tuple[KeyedJoin, ...] = ()
    """The joins that its cubes must be joined by."""
    sums: dict[str, exp.Expr] = field(default_factory=dict)
    """Measures whose values of rows are added up, and where."""
    counted: dict[str, None] = field(default_factory=dict)
    """Measures that are computed from its rows elsewhere."""
    values: dict[Leaf, Wanted] = field(default_factory=dict)
    """What rows bring to the aggregates of these."""
    keys: dict[Path, tuple[Wanted, ...]] = field(default_factory=dict)
    """What tells the rows of cubes apart, by the path to the cube."""

    def __post_init__(self) -> None:
        self.alias = self.around.alias()

    @property
    def model(self) -> Model:
        return self.around.seen

    @property
    def is_empty(self) -> bool:
        """See `Asking.is_empty`."""
        return not (self.dimensions or self.measures or self.keys or self.values)

    def dimension(self, tree: exp.Expr) -> exp.Column:
        """The column of the derived table that has the value of `tree`."""
        found = self.dimensions.get(tree)
        if found is None:
            found = self.dimensions[tree] = self._wanted(tree)
        return self._column(found)

    def measure(self, name: str) -> exp.Column:
        """The column of the derived table that has a measure's value."""
        found = self.measures.get(name)
        if found is None:
            found = self.measures[name] = self._member(name)
        return self._column(found)

    def of_row(self, node: exp.Expr) -> exp.Expr:
        """What a row has of a member: null of a measure that has values of groups only. Other nodes stay."""
        name = marked(node)
        member = self.model.members[name].member if name is not None else None
        if name is None or not isinstance(member, Measure):
            return node if name is None else self.dimension(node)
        return self.measure(name) if has_value(self.around.model, member) else self._nothing(name)

    def of_star(self, tree: exp.Expr) -> exp.Expr:
        """What a row has of a column that nobody named: it does not bring rows of others with it."""
        name = marked(tree)
        member = self.model.members[name].member if name is not None else None
        if name is not None and isinstance(member, Measure) and not keeps_rows(self.around.model, member):
            return self._nothing(name)
        return changed(tree.copy(), self.of_row)

    def added_up(self, name: str, at: exp.Expr) -> None:
        """See `Asking.added_up`."""
        self.sums.setdefault(name, at)

    def where(self, tree: exp.Expr) -> None:
        """Adds a condition on the rows."""
        for each in tree.unnest().flatten() if isinstance(tree.unnest(), exp.And) else (tree,):
            one = each.unnest()
            for name in members(one):
                if isinstance(self.model.members[name].member, Measure):
                    raise SqlError(
                        f"'{name}' is a measure: put the condition into HAVING.", at=each, sqlstate="42803"
                    )
            if isinstance(one, exp.And):
                self.where(one)
            elif (name_ := segment(one, self.model)) is not None:
                self.segments.append(name_)
            elif _is_true(one):
                continue
            elif (found := as_filter(one, self.model, self.around.clock)) is not None and (
                sum(map(_values, [*self.filters, found[0]])) <= MAX_VALUES
            ):
                self.filters.append(found[0])
                self.around.writing.volatile = self.around.writing.volatile or found[1]
            else:
                self.tests.append(one)

    def parts(self, name: str, *, apart: bool) -> Parts:
        """See `Asking.parts`."""
        found = self.model.members[name]
        measure = found.member
        assert isinstance(measure, Measure)
        if measure.staged:
            raise SqlError(
                f"'{name}' is computed in several steps (rolling, time shift, rank), which this join cannot have: "
                "aggregate it in a sub-query, and join that.",
                sqlstate="0A000",
            )
        self.counted[name] = None
        leaves = [(plain_name(one), leaf_path(found.path, one)) for one in measure.leaves]
        there = {leaf: self._part(leaf, name, apart=apart) for leaf in leaves if leaf[1][0] == found.path[0]}
        return there, [leaf for leaf in leaves if leaf not in there]

    def table(self) -> exp.Subquery:
        """The derived table."""
        planned = self._resolved()
        select = self.around.planned(planned)
        columns = [exp.to_identifier(name, quoted=True) for name in planned.names]
        alias = exp.TableAlias(this=exp.to_identifier(self.alias, quoted=True), columns=columns)
        return exp.Subquery(this=select, alias=alias)

    # -- columns ---------------------------------------------------------------------------------------

    def _name(self) -> str:
        return f"c{len(self.dimensions) + len(self.measures) + 1}"

    def _part(self, leaf: Leaf, name: str, *, apart: bool) -> Part:
        if by_itself(self.around.model.measure(leaf[0])):
            return Part(None, self._key(leaf[1], name))
        if leaf not in self.values:
            self.values[leaf] = Wanted(f"v{len(self.values) + 1}")
        return Part(self._column(self.values[leaf]), self._key(leaf[1], name) if apart else ())

    def _key(self, path: Path, name: str) -> tuple[exp.Expr, ...]:
        """The columns with the primary key of the cube that a path leads to."""
        cube = path[-1]
        if path not in self.keys:
            parts = self.around.model.cubes[cube].primary_key
            if not parts:
                raise SqlError(
                    f"'{name}' cannot be counted once in each group: its cube has no primary key. Aggregate it in a "
                    "sub-query, and join that.",
                    sqlstate="0A000",
                )
            self.keys[path] = tuple(
                Wanted(f"k{len(self.keys) + 1}_{n}", tree=part.sql) for n, part in enumerate(parts)
            )
        return tuple(self._column(one) for one in self.keys[path])

    def _column(self, one: Wanted) -> exp.Column:
        made = exp.column(one.name, table=self.alias, quoted=True)
        made.meta[TYPE] = one.type
        if one.engine:
            made.meta[ENGINE] = one.engine
        return made

    def _member(self, name: str) -> Wanted:
        around = self.around
        return Wanted(self._name(), name, type=around.member_type(name), engine=around.digits(name))

    def _nothing(self, name: str) -> exp.Expr:
        return nothing(self.around.member_type(name))

    def _wanted(self, tree: exp.Expr) -> Wanted:
        name = self._name()
        node = tree.unnest()
        member = marked(node)
        if member is not None and isinstance(self.model.members[member].member, Dimension):
            return self._member(member)
        period = time_period(node, self.model)
        if period is not None:
            return Wanted(name, *period, type="timestamp")
        for one in members(node):
            if isinstance(self.model.members[one].member, Measure):
                raise SqlError(
                    f"'{one}' is a measure, which no row has a value of.", at=tree, sqlstate="42803"
                )
        return Wanted(name, tree=node, type=self.around.type(node))

    # -- to the planner --------------------------------------------------------------------------------

    def _resolved(self) -> "Planned":
        plain = [one for one in self.dimensions.values() if one.member is not None]
        expressions = [one for one in self.dimensions.values() if one.tree is not None]
        beside = dict.fromkeys(
            name for one in expressions if one.tree is not None for name in members(one.tree)
        )
        tested = dict.fromkeys(name for one in self.tests for name in members(one))
        flags = [name for name in (*beside, *tested) if is_segment(self.model.members[name])]
        asked: dict[str, Any] = {
            "measures": list(dict.fromkeys([*self.measures, *self.counted])),
            "dimensions": list(
                dict.fromkeys(
                    [
                        *(one.member for one in plain if one.granularity is None),
                        *(name for name in beside if name not in flags),
                    ]
                )
            ),
            "timeDimensions": [
                {"dimension": one.member, "granularity": one.granularity}
                for one in plain
                if one.granularity is not None
            ],
            "filters": [*self.filters, *(_mentioned(name) for name in tested if name not in flags)],
            "segments": list(dict.fromkeys(self.segments)),
            "timezone": self.around.zone,
        }
        if self.ungrouped:
            asked["ungrouped"] = True
        if not (asked["measures"] or asked["dimensions"] or asked["timeDimensions"]):
            asked["dimensions"] = self._beside(flags)
        query = parse(self.around.rewritten(asked))
        found = self.around.resolved(query)
        if flags:
            # What policies say of segments that stand in expressions.
            told = self.around.resolved(
                parse(self.around.rewritten(asked | {"segments": [*asked["segments"], *flags]}))
            )
            found = replace(found, rows=told.rows, limits=told.limits)
        keys = {column.key: column for column in found.columns}
        columns: list[tuple[Column, str]] = []
        for one in plain:
            key = one.member if one.granularity is None else f"{one.member}.{one.granularity}"
            columns.append((self._kept(keys, str(key)), one.name))
        columns += [(self._expression(one), one.name) for one in expressions]
        columns += [
            (self._key_part(path, n), one.name)
            for path, some in self.keys.items()
            for n, one in enumerate(some)
        ]
        columns += [(self._value(leaf, found), one.name) for leaf, one in self.values.items()]
        for name in self.counted:
            self._kept(keys, name)
        measures = [(self._kept(keys, name), one.name) for name, one in self.measures.items()]
        tests = tuple(self._test(one) for one in self.tests)
        made = replace(
            found,
            dimensions=tuple(column for column, _ in columns),
            measures=tuple(column for column, _ in measures),
            where=(*(one for one in found.where if not _passes_all(one)), *tests),
            order=(),
        )
        if (expressions or tests) and staged(made):
            raise SqlError(
                "A measure that is computed in several steps (rolling, time shift, rank) cannot be asked beside "
                "expressions over dimensions: group by members or date_trunc, and compare members with values.",
                sqlstate="0A000",
            )
        if self.joins and not as_written(self.joins, made, self.around.model):
            raise OtherJoinError(
                "The model does not join these cubes as their keys in ON say: aggregate measures in a sub-query, "
                "and join that.",
                sqlstate="0A000",
                hint="CROSS JOIN leaves it to the model how its cubes are joined.",
            )
        for name, at in self.sums.items():
            if rows_of(made, self.around.model).multiplies(self.model.members[name].member.cube):
                raise repeated(name, at)
        limit = query.limit if query.limit is not None else query.row_limit
        return Planned(made, tuple(name for _, name in (*columns, *measures)), limit)

    def _beside(self, flags: list[str]) -> list[str]:
        """A dimension to ask for where only segments are shown; it is no column of the answer."""
        owners = [name.partition(".")[0] for name in flags]
        found = [
            name
            for name, one in self.model.members.items()
            if name.partition(".")[0] in owners and isinstance(one.member, Dimension) and one.label.public
        ]
        return found[:1]

    @staticmethod
    def _kept(keys: dict[str, Column], key: str) -> Column:
        if key not in keys:
            raise SqlError(f"The project's query_rewrite took '{key}' out of the query.", sqlstate="42501")
        return keys[key]

    def _expression(self, one: Wanted) -> Column:
        assert one.tree is not None
        name = f"#expression.{one.name}"
        return Column(name, self._found(name, one.tree, "string"))

    def _value(self, leaf: Leaf, asked: Resolved) -> Column:
        """What a row brings to an aggregate."""
        measure, path = self.around.model.measure(leaf[0]), leaf[1]
        ways = [*shared_paths(Grain.of(asked)), *self.keys, *(one for _, one in self.values)]
        is_root = len(path) == 1 and all(way[0] == path[0] for way in ways)
        sql = contribution(self.around.model, measure, is_root=is_root)
        name = f"#value.{leaf[0]}.{'.'.join(path)}"
        dimension = Dimension(measure.cube, name, "string", exp.Paren(this=sql), measure.paths, _LABEL)
        return Column(name, Found(name, dimension, path, _LABEL))

    def _key_part(self, path: Path, number: int) -> Column:
        """A part of a cube's primary key, which nobody sees."""
        part = self.around.model.cubes[path[-1]].primary_key[number]
        name = f"#key.{'.'.join(path)}.{number}"
        return Column(name, Found(name, part, path, _LABEL))

    def _test(self, tree: exp.Expr) -> Condition:
        return Condition(self._found("#condition", tree, "boolean"), "equals", ("true",))

    def _found(self, name: str, tree: exp.Expr, kind: str) -> Found:
        paths: dict[tuple[str, ...], None] = {}
        cube = ""

        def one(node: exp.Expr) -> exp.Expr:
            nonlocal cube
            full_name = marked(node)
            if full_name is None:
                return node
            found = self.model.members[full_name]
            member = found.member
            paths.update(dict.fromkeys(member_paths(found)))
            cube = cube or member.cube
            sql = member.sql
            assert sql is not None
            if isinstance(member, Dimension) and member.type == "time":
                return exp.Paren(this=marks.local(sql.copy()))
            return exp.Paren(this=sql.copy())

        written = (
            self.around.tested(tree.copy()) if kind == "boolean" else self.around.meant(tree.copy()).tree
        )
        sql = changed(written, one)
        dimension = Dimension(cube, name, kind, exp.Paren(this=sql), tuple(paths), _LABEL)
        return Found(name, dimension, (cube,), _LABEL)


def _values(filter_: dict[str, Any]) -> int:
    """How many values a filter has: a query takes so many and no more."""
    inner = [one for key in ("and", "or") for one in filter_.get(key) or ()]
    return len(filter_.get("values") or ()) + sum(map(_values, inner))


def _is_true(node: exp.Expr) -> bool:
    """Whether a condition says nothing: `1 = 1`, TRUE."""
    if isinstance(node, exp.EQ):
        left, right = node.this.unnest(), node.expression.unnest()
        return (
            isinstance(left, exp.Literal)
            and isinstance(right, exp.Literal)
            and not left.is_string
            and not right.is_string
            and left.name == right.name
        )
    return isinstance(node, exp.Boolean) and bool(node.this)


def _mentioned(name: str) -> dict[str, Any]:
    """A filter that every row passes, so that hooks, default filters and policies know of the member."""
    return {"or": [{"member": name, "operator": "set"}, {"member": name, "operator": "notSet"}]}


def _passes_all(tree: Tree) -> bool:
    """Whether a condition only mentions a member."""
    if isinstance(tree, Condition) or tree.every or len(tree.parts) != 2:
        return False
    one, other = tree.parts
    return (
        isinstance(one, Condition)
        and isinstance(other, Condition)
        and one.found is other.found
        and {one.operator, other.operator} == {"set", "notSet"}
    )


@dataclass(frozen=True, slots=True)
class Planned:
    """A question with everything looked up, and the names of its columns in their order."""

    query: Resolved
    names: tuple[str, ...]
    limit: int | None


def time_period(node: exp.Expr, model: Model) -> tuple[str, str] | None:
    """The time dimension and the granularity that a node is, if it is `date_trunc` of one."""
    if not isinstance(node, exp.Anonymous) or called(node) != "date_trunc" or len(node.expressions) != 2:
        return None
    said, inner = node.expressions[0].unnest(), node.expressions[1].unnest()
    if isinstance(said, exp.Cast) and named(said.to)[0] in TEXTS:
        said = said.this  # the type that a driver gives to its parameter
    if isinstance(inner, exp.Cast) and named(inner.to) == ("timestamp", ()):
        inner = inner.this.unnest()  # it is one already
    name = marked(inner)
    unit = said.name.lower() if isinstance(said, exp.Literal) and said.is_string else ""
    if name is None or unit not in GRANULARITIES:
        return None
    member = model.members[name].member
    return (name, unit) if isinstance(member, Dimension) and member.type == "time" else None
