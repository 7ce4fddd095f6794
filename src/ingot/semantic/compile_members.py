"""Specs of dimensions, measures and segments -> members with parsed, fully resolved SQL.

Each is compiled once, when it is first needed, so that references may stand in any order; a member that
leads back to itself is a cycle.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any, TypeVar, cast

from sqlglot import exp

from ingot.semantic import marks
from ingot.semantic.declared import Declared
from ingot.semantic.joins import to_many
from ingot.semantic.labels import label
from ingot.semantic.model import Aggregate, Dimension, Measure, Segment
from ingot.semantic.scope import Scope
from ingot.semantic.snippet import SnippetError

_OWN_SQL = frozenset({"number", "string", "boolean", "time"})
_LATER = ("rolling_window", "multi_stage", "time_shift", "sub_query")
_TYPES_LATER = frozenset({"geo", "switch", "number_agg", "rank"})

Compiled = TypeVar("Compiled", Dimension, Measure, Segment)


class CompiledMembers:
    """The members of all declared cubes; those with a problem are None, and the problem is reported."""

    def __init__(self, declared: Declared) -> None:
        self.declared = declared
        self._made: dict[tuple[str, str], Any] = {}
        self._open: list[str] = []

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
        _refuse_later(spec)
        scope = Scope(self, cube)
        if spec.case is not None:
            tree = _case(scope, spec.case)
        elif spec.sql is not None:
            tree = scope.read(spec.sql)
        else:
            raise SnippetError("a dimension needs 'sql' or 'case'")
        _no_measure(tree, "a dimension")
        named = label(spec, self.declared.cubes[cube])
        return Dimension(cube, spec.name, spec.type, tree, scope.paths(), named, bool(spec.primary_key))

    def _segment(self, cube: str, spec: Any) -> Segment:
        scope = Scope(self, cube)
        tree = scope.read(spec.sql)
        _no_measure(tree, "a segment")
        return Segment(cube, spec.name, tree, scope.paths(), label(spec, self.declared.cubes[cube]))

    def _measure(self, cube: str, spec: Any) -> Measure:
        _refuse_later(spec)
        if spec.case is not None:
            raise SnippetError("'case' in a measure is not supported yet: write it in 'sql'")
        scope = Scope(self, cube)
        tree = scope.read(spec.sql) if spec.sql is not None else None
        conditions = [scope.read(one.sql) for one in spec.filters]
        condition = exp.and_(*conditions) if conditions else None
        if condition is not None:
            _no_measure(condition, "a filter of a measure")
        aggregate = (
            _own_sql(spec, tree, condition, scope) if spec.type in _OWN_SQL else _aggregate(spec, tree)
        )
        inner = tuple(dict.fromkeys(leaf for one in scope.measures for leaf in one.leaves))
        if aggregate == "raw" and any(leaf.partition(".")[0] != cube for leaf in inner):
            raise SnippetError(
                "an expression that aggregates by itself may refer only to measures of its own cube"
            )
        paths = (*scope.paths(), *(path for one in scope.measures if one.cube == cube for path in one.paths))
        self._to_one(scope)
        return Measure(
            cube,
            spec.name,
            spec.type if spec.type in _OWN_SQL else "number",
            aggregate,
            tree,
            condition,
            tuple(dict.fromkeys(paths)),
            inner if aggregate == "calculated" else (f"{cube}.{spec.name}",),
            label(spec, self.declared.cubes[cube]),
            tuple(self._drill(cube, spec)),
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
            owner = cube if owner in ("", "CUBE") else owner
            if member not in self.declared.members.get(owner, {}):
                known = [f"{c}.{m}" for c, members in self.declared.members.items() for m in members]
                what = f"{cube}.{spec.name}: unknown drill member '{name}'"
                self.declared.report(spec, what, known=known, name=f"{owner}.{member}")
            names.append(f"{owner}.{member}")
        return names


def has_measure(tree: exp.Expr) -> bool:
    """Whether a measure stands in the tree."""
    return any(marks.measure_name(node) for node in tree.find_all(exp.Column))


def _no_measure(tree: exp.Expr, what: str) -> None:
    if has_measure(tree):
        raise SnippetError(f"{what} cannot refer to a measure")
    if tree.find(exp.AggFunc) and not tree.find(exp.Select, exp.Window):
        raise SnippetError(f"{what} cannot aggregate")


def _refuse_later(spec: Any) -> None:
    # Left out silently, these would give other numbers than the author means.
    for key in _LATER:
        if getattr(spec, key, None):
            raise SnippetError(f"'{key}' is not supported yet")
    if spec.type in _TYPES_LATER:
        raise SnippetError(f"the type '{spec.type}' is not supported yet")


def _case(scope: Scope, case: Any) -> exp.Expr:
    if case.switch is not None:
        raise SnippetError("a case with 'switch' is not supported yet")
    branches = []
    for when in case.when:
        if when.sql is None or when.label is None:
            raise SnippetError("each 'when' of a case needs 'sql' and 'label'")
        branches.append(exp.If(this=scope.read(when.sql), true=_case_label(scope, when.label)))
    default = None
    if case.else_ is not None:
        if case.else_.label is None:
            raise SnippetError("the 'else' of a case needs 'label'")
        default = _case_label(scope, case.else_.label)
    return exp.Case(ifs=branches, default=default)


def _case_label(scope: Scope, value: Any) -> exp.Expr:
    return exp.Literal.string(value) if isinstance(value, str) else scope.read(value.sql)


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


def _own_sql(spec: Any, tree: exp.Expr | None, condition: exp.Expr | None, scope: Scope) -> Aggregate:
    if tree is None:
        raise SnippetError(f"a measure of type '{spec.type}' needs 'sql'")
    if condition is not None:
        raise SnippetError(
            f"a measure of type '{spec.type}' takes no filters: put them on the measures that it is made of"
        )
    columns = any(marks.measure_name(node) is None for node in tree.find_all(exp.Column))
    if columns or tree.find(exp.AggFunc):
        if not tree.find(exp.AggFunc, exp.Anonymous):
            raise SnippetError(f"a measure of type '{spec.type}' must be made of aggregates or measures")
        return "raw"
    if not scope.measures:
        raise SnippetError(f"a measure of type '{spec.type}' must be made of aggregates or measures")
    return "calculated"
