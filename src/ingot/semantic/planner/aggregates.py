"""Measures -> SQL trees: one aggregate over joined rows, and calculations over such aggregates."""

from collections.abc import Callable

from sqlglot import exp

from ingot.semantic import marks
from ingot.semantic.errors import QueryError
from ingot.semantic.model import Measure, Model, Path
from ingot.semantic.planner.fanout import Leaf, leaf_path

_PLAIN: dict[str, type[exp.AggFunc]] = {"sum": exp.Sum, "avg": exp.Avg, "min": exp.Min, "max": exp.Max}
COUNTS = frozenset({"count", "count_distinct", "count_distinct_approx"})


def calculation(model: Model, name: str, path: Path, leaf: Callable[[Leaf], exp.Expr]) -> exp.Expr:
    """The value of a measure, with every aggregate in it written by `leaf`."""
    measure = model.measure(name)
    if measure.aggregate != "calculated":
        return leaf((measure.full_name, path))
    assert measure.sql is not None
    return marks.fill_measures(
        measure.sql.copy(), lambda inner: calculation(model, inner, leaf_path(path, inner), leaf)
    )


def aggregate(model: Model, measure: Measure, *, is_root: bool) -> exp.Expr:
    """The aggregate over joined rows.

    Where the measure's cube is not the root of the joins, rows that it has no part in are left out.
    """
    guard = None if is_root else present(model, measure.cube)
    if measure.aggregate == "raw":
        return _raw(model, measure, guard, is_root=is_root)
    conditions = [measure.condition.copy()] if measure.condition is not None else []
    operand = measure.sql.copy() if measure.sql is not None else None
    if operand is None and guard is not None and not conditions:
        keys = _keys(model, measure.cube)
        return (
            exp.Count(this=keys[0]) if len(keys) == 1 else _filtered(_call(measure.aggregate, None), [guard])
        )
    # Aggregates pass over null, which a column of an absent row is; anything else may make a value of it.
    if guard is not None and not _own_column(operand, measure.cube):
        conditions.insert(0, guard)
    return _filtered(_call(measure.aggregate, operand), conditions)


def over_values(measure: Measure, operand: exp.Expr | None, condition: exp.Expr | None) -> exp.Expr:
    """The aggregate of a multi-stage measure over the values of its inner step."""
    if measure.aggregate == "raw":
        assert operand is not None
        return operand
    return _filtered(_call(measure.aggregate, operand), [] if condition is None else [condition])


def row_value(model: Model, measure: Measure, *, is_root: bool) -> exp.Expr:
    """What one row contributes to the measure, for ungrouped queries: what counts is 1 where it is set, as in Cube."""
    if measure.staged:
        raise QueryError(f"'{measure.full_name}' is computed from groups and cannot be asked ungrouped.")
    if measure.aggregate == "raw":
        raise QueryError(f"'{measure.full_name}' aggregates by itself and cannot be asked ungrouped.")
    conditions = [measure.condition.copy()] if measure.condition is not None else []
    operand = measure.sql.copy() if measure.sql is not None else None
    if measure.aggregate in COUNTS:
        if operand is not None:
            conditions.append(exp.Not(this=exp.Is(this=marks.wrapped(operand), expression=exp.null())))
        operand = exp.Literal.number(1)
    assert operand is not None
    if not is_root and not _own_column(operand, measure.cube):
        conditions.insert(0, present(model, measure.cube))
    if not conditions:
        return operand
    return exp.Case(ifs=[exp.If(this=exp.and_(*conditions, copy=False), true=operand)])


def contribution(model: Model, measure: Measure, *, is_root: bool) -> exp.Expr:
    """The value of one row that `over` aggregates: null where the row brings nothing."""
    conditions = [measure.condition.copy()] if measure.condition is not None else []
    operand = measure.sql.copy() if measure.sql is not None else exp.Literal.number(1)
    if not is_root and not _own_column(operand, measure.cube):
        conditions.insert(0, present(model, measure.cube))
    if not conditions:
        return operand
    return exp.Case(ifs=[exp.If(this=exp.and_(*conditions, copy=False), true=operand)])


def over(measure: Measure, value: exp.Expr) -> exp.Expr:
    """The aggregate of a measure over what rows contribute."""
    return _call(measure.aggregate, value)


def present(model: Model, cube: str) -> exp.Expr:
    """Whether a joined row has a row of `cube` in it: one part of its key, at least, is not null."""
    tests = [exp.Not(this=exp.Is(this=key, expression=exp.null())) for key in _keys(model, cube)]
    return tests[0] if len(tests) == 1 else exp.Paren(this=exp.or_(*tests, copy=False))


def _keys(model: Model, cube: str) -> list[exp.Expr]:
    keys = model.cubes[cube].primary_key
    if not keys:
        raise QueryError(f"Cube '{cube}' is joined and has no primary key, so its rows cannot be counted.")
    return [marks.wrapped(key.sql.copy()) for key in keys]


def _own_column(tree: exp.Expr | None, cube: str) -> bool:
    return isinstance(tree, exp.Column) and tree.table == cube


def _call(kind: str, operand: exp.Expr | None) -> exp.Expr:
    if operand is None:
        return exp.Count(this=exp.Star())
    if kind == "count":
        return exp.Count(this=operand)
    if kind == "count_distinct":
        return exp.Count(this=exp.Distinct(expressions=[operand]))
    if kind == "count_distinct_approx":
        return exp.ApproxDistinct(this=operand)
    return _PLAIN[kind](this=operand)


def _filtered(call: exp.Expr, conditions: list[exp.Expr]) -> exp.Expr:
    if not conditions:
        return call
    return exp.Filter(this=call, expression=exp.Where(this=exp.and_(*conditions, copy=False)))


def _raw(model: Model, measure: Measure, guard: exp.Expr | None, *, is_root: bool) -> exp.Expr:
    assert measure.sql is not None

    def guarded(node: exp.Expr) -> exp.Expr:
        if guard is None or not isinstance(node, exp.AggFunc) or node.find_ancestor(exp.AggFunc, exp.Select):
            return node
        return exp.Filter(this=node.copy(), expression=exp.Where(this=guard.copy()))

    def merged(node: exp.Expr) -> exp.Expr:
        # The author's own FILTER and ours become one.
        if isinstance(node, exp.Filter) and isinstance(node.this, exp.Filter):
            both = exp.and_(node.this.expression.this, node.expression.this)
            return exp.Filter(this=node.this.this.copy(), expression=exp.Where(this=both))
        return node

    tree = measure.sql.copy().transform(guarded, copy=False).transform(merged, copy=False)
    inner = lambda name: calculation(  # noqa: E731
        model, name, (measure.cube,), lambda leaf: aggregate(model, model.measure(leaf[0]), is_root=is_root)
    )
    return marks.fill_measures(tree, inner)
