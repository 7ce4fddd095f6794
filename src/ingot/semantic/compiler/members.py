"""Specs of dimensions, measures and segments -> members with parsed, fully resolved SQL.

Each is compiled once, when it is first needed, so that references may stand in any order; a member that
leads back to itself is a cycle.
"""

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, Protocol, TypeVar, cast

from sqlglot import exp

from ingot.semantic import formats, marks
from ingot.semantic.compiler.cases import case
from ingot.semantic.compiler.declared import Declared
from ingot.semantic.compiler.granularities import granularities
from ingot.semantic.compiler.scope import Scope
from ingot.semantic.compiler.snippet import SnippetError
from ingot.semantic.compiler.stages import rolling_measure, stage_measure
from ingot.semantic.compiler.sub_queries import sub_query_dimension
from ingot.semantic.compiler.switches import is_switch, switch
from ingot.semantic.labels import label
from ingot.semantic.model import Aggregate, Cube, Dimension, Measure, Member, Segment
from ingot.semantic.planner.joins import to_many

OWN_SQL = frozenset({"number", "number_agg", "string", "boolean", "time"})
_MULTI_STAGE = ("group_by", "reduce_by", "add_group_by", "grain", "filter", "time_shift", "order_by")

Compiled = TypeVar("Compiled", Dimension, Measure, Segment)


class CompiledMembers:
    """The members of all declared cubes; those with a problem are None, and the problem is reported."""

    def __init__(self, declared: Declared, compiled: Mapping[str, Any]) -> None:
        self.declared = declared
        self.compiled = compiled
        self.asked: dict[str, Any] = {}
        self.used: dict[str, set[str | None]] = {}
        """Which other cubes each cube depends on; None for all joins."""
        self._made: dict[tuple[str, str], Any] = {}
        self._open: list[str] = []

    def known(self, cube: Cube) -> None:
        """Takes over the members of a cube that was compiled before."""
        members: list[Member] = [*cube.dimensions.values(), *cube.measures.values(), *cube.segments.values()]
        for one in members:
            self._made[cube.name, one.name] = one

    def needs(self, cube: str, other: str | None) -> None:
        """Notes that a cube depends on another one; on all joins, where `other` is None."""
        self.used.setdefault(cube, set()).add(other)

    def dimension(self, cube: str, name: str) -> Dimension | None:
        """The dimension `name` of `cube`."""
        return self._once(cube, name, self._dimension)

    def measure(self, cube: str, name: str) -> Measure | None:
        """The measure `name` of `cube`."""
        return self._once(cube, name, self._measure)

    def segment(self, cube: str, name: str) -> Segment | None:
        """The segment `name` of `cube`."""
        return self._once(cube, name, self._segment)

    def _once(self, cube: str, name: str, make: Callable[[str, Any], Compiled]) -> Compiled | None:
        key = (cube, name)
        full: str = f"{cube}.{name}"
        spec = self.declared.members[cube][name]
        if self._open and (user := self._open[-1].partition(".")[0]) != cube:
            self.needs(user, cube)
        if full in self._open:
            steps = " -> ".join([*self._open[self._open.index(full) :], full])
            self.declared.report(spec, f"'{full}' is defined by itself: {steps}")
            return None
        if key not in self._made:
            self._open.append(full)
            try:
                self._made[key] = make(cube, spec)
            except SnippetError as error:
                self.declared.report(spec, f"{full}: {error}")
                self._made[key] = None
            finally:
                self._open.pop()
        return cast("Compiled | None", self._made[key])

    def _dimension(self, cube: str, spec: Any) -> Dimension:
        refuse_later(spec)
        if spec.sub_query:
            return sub_query_dimension(self, cube, spec)
        if is_switch(spec):
            return switch(cube, spec, self.declared.cubes[cube])
        scope = Scope(self, cube, spec)
        tree = row_value(scope, spec)
        named = label(spec, self.declared.cubes[cube])
        own = granularities(spec, scope.read)
        return Dimension(
            cube,
            spec.name,
            spec.type,
            tree,
            scope.paths(),
            named,
            bool(spec.primary_key),
            granularities=own,
        )

    def _segment(self, cube: str, spec: Any) -> Segment:
        scope = Scope(self, cube, spec)
        tree = scope.read(spec.sql)
        no_measure(tree, "a segment")
        return Segment(cube, spec.name, tree, scope.paths(), label(spec, self.declared.cubes[cube]))

    def _measure(self, cube: str, spec: Any) -> Measure:
        refuse_later(spec)
        if spec.rolling_window is not None:
            return rolling_measure(self, cube, spec, self._plain_measure)
        if spec.multi_stage:
            check_format(spec)
            return stage_measure(self, cube, spec, self._drill(cube, spec))
        return self._plain_measure(cube, spec)

    def _plain_measure(self, cube: str, spec: Any) -> Measure:
        scope = Scope(self, cube, spec)
        tree, condition, aggregate = aggregation(scope, spec)
        inner = tuple(dict.fromkeys(leaf for one in scope.measures for leaf in one.leaves))
        if aggregate == "raw" and any(one.staged for one in scope.measures):
            raise SnippetError(
                "an expression that aggregates by itself cannot refer to a multi-stage measure"
            )
        if aggregate == "raw" and any(leaf.partition(".")[0] != cube for leaf in inner):
            raise SnippetError(
                "an expression that aggregates by itself may refer only to measures of its own cube"
            )
        paths = (*scope.paths(), *(path for one in scope.measures if one.cube == cube for path in one.paths))
        self._to_one(scope)
        return Measure(
            cube,
            spec.name,
            spec.type if spec.type in OWN_SQL and spec.type != "number_agg" else "number",
            aggregate,
            tree,
            condition,
            tuple(dict.fromkeys(paths)),
            inner if aggregate == "calculated" else (f"{cube}.{spec.name}",),
            label(spec, self.declared.cubes[cube]),
            tuple(self._drill(cube, spec)),
            staged=any(one.staged for one in scope.measures),
        )

    def _to_one(self, scope: Scope) -> None:
        """A measure is computed from rows of its own cube: what it refers to must not multiply them."""
        for path in scope.paths():
            for left, right in pairwise(path):
                if to_many(self.declared.edges, left, right):
                    raise SnippetError(
                        f"it refers to cube '{right}', of which one row of '{left}' can have many: "
                        f"define the measure in '{right}'"
                    )

    def _drill(self, cube: str, spec: Any) -> list[str]:
        names = []
        for name in spec.drill_members:
            owner, _, member = name.strip("{}").rpartition(".")
            owner = owner.rpartition(".")[2]  # of a path of joins, the last cube
            owner = cube if owner in ("", "CUBE", "TABLE") else owner
            if owner != cube:
                self.needs(cube, owner)
            if member not in self.declared.members.get(owner, {}):
                known = [f"{c}.{m}" for c, members in self.declared.members.items() for m in members]
                what = f"{cube}.{spec.name}: unknown drill member '{name}'"
                self.declared.report(spec, what, known=known, name=f"{owner}.{member}")
            names.append(f"{owner}.{member}")
        return names


class Reads(Protocol):
    """Reads snippets and remembers which measures they refer to."""

    measures: list[Measure]

    def read(self, text: str, *, bare: bool = True) -> exp.Expr: ...


def row_value(scope: Reads, spec: Any) -> exp.Expr:
    """The value of a dimension in a row."""
    check_format(spec)
    if spec.type == "geo":
        if spec.latitude is None or spec.longitude is None:
            raise SnippetError("a dimension of type geo needs 'latitude' and 'longitude'")
        tree = _point(scope.read(spec.latitude.sql), scope.read(spec.longitude.sql))
    elif spec.case is not None:
        tree = case(scope.read, spec.case)
    elif spec.sql is not None:
        tree = scope.read(spec.sql)
    else:
        raise SnippetError("a dimension needs 'sql' or 'case'")
    no_measure(tree, "a dimension")
    return tree


def _point(latitude: exp.Expr, longitude: exp.Expr) -> exp.Expr:
    """`latitude,longitude` as a text, as in Cube; null where one of them is."""
    first, second = (exp.Cast(this=each, to=exp.DataType.build("text")) for each in (latitude, longitude))
    comma = exp.DPipe(this=first, expression=exp.Literal.string(","), safe=False)
    return exp.Paren(this=exp.DPipe(this=comma, expression=second, safe=False))


def aggregation(scope: Reads, spec: Any) -> tuple[exp.Expr | None, exp.Expr | None, Aggregate]:
    """What a measure aggregates, on which condition, and how."""
    check_format(spec)
    if spec.case is not None:
        tree: exp.Expr | None = case(scope.read, spec.case)
    else:
        tree = scope.read(spec.sql) if spec.sql is not None else None
    conditions = [scope.read(one.sql) for one in spec.filters]
    condition = exp.and_(*conditions) if conditions else None
    if condition is not None:
        no_measure(condition, "a filter of a measure")
    if spec.type not in OWN_SQL:
        return tree, condition, _aggregate(spec, tree)
    return tree, condition, _own_sql(spec, tree, condition, scope)


def check_format(spec: Any) -> None:
    """Raises `SnippetError` for a format that no client could show."""
    if (why := formats.problem(spec.format, spec.type)) is not None:
        raise SnippetError(f"{why}: use {', '.join(formats.NAMED)}, such as percent_2, or a pattern of d3")


def has_measure(tree: exp.Expr) -> bool:
    """Whether a measure stands in the tree."""
    return any(marks.measure_name(node) for node in tree.find_all(exp.Column))


def no_measure(tree: exp.Expr, what: str) -> None:
    """Raises `SnippetError` where a measure or an aggregate stands in the tree."""
    if has_measure(tree):
        raise SnippetError(f"{what} cannot refer to a measure")
    if tree.find(exp.AggFunc) and not tree.find(exp.Select, exp.Window):
        raise SnippetError(f"{what} cannot aggregate")


def refuse_later(spec: Any) -> None:
    """Raises `SnippetError` for what would be left out silently."""
    # Left out silently, these would give other numbers than the author means.
    if getattr(spec, "multi_stage", False):
        if hasattr(spec, "sub_query"):
            raise SnippetError("'multi_stage' of a dimension is not supported yet")
        return
    for key in _MULTI_STAGE:
        if getattr(spec, key, None):
            raise SnippetError(f"'{key}' is for multi-stage measures: add multi_stage: true")
    if spec.type == "rank":
        raise SnippetError("a measure of type rank is a multi-stage measure: add multi_stage: true")


def _aggregate(spec: Any, tree: exp.Expr | None) -> Aggregate:
    if tree is None:
        if spec.type != "count":
            raise SnippetError(f"a measure of type '{spec.type}' needs 'sql': what to aggregate")
    elif has_measure(tree):
        raise SnippetError(
            f"'{spec.type}' of a measure: only measures of type number, string, … refer to measures"
        )
    elif tree.find(exp.AggFunc) and not tree.find(exp.Select):
        raise SnippetError(
            f"'{spec.type}' of an aggregate: an expression that aggregates by itself has type number"
        )
    elif spec.type in ("sum", "avg") and isinstance(tree, exp.Literal) and tree.is_string:
        raise SnippetError(f"'{spec.type}' of a text")
    return cast("Aggregate", spec.type)


def _own_sql(spec: Any, tree: exp.Expr | None, condition: exp.Expr | None, scope: Reads) -> Aggregate:
    if tree is None:
        raise SnippetError(f"a measure of type '{spec.type}' needs 'sql'")
    if condition is not None:
        raise SnippetError(
            f"a measure of type '{spec.type}' takes no filters: put them on the measures that it is made of"
        )
    columns = any(marks.measure_name(node) is None for node in tree.find_all(exp.Column))
    if columns or tree.find(exp.AggFunc):
        calls = tree.find_all(exp.AggFunc, exp.Anonymous)
        if not any(not marks.is_mark(each) for each in calls):
            raise SnippetError(f"a measure of type '{spec.type}' must be made of aggregates or measures")
        return "raw"
    if marks.has_context(tree):
        raise SnippetError(
            "a calculation over measures cannot hold context variables: put them in the measures"
        )
    if not scope.measures:
        raise SnippetError(f"a measure of type '{spec.type}' must be made of aggregates or measures")
    return "calculated"
