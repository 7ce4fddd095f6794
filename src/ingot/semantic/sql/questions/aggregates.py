"""Aggregates in a SELECT over the model: which measure one asks for, or that it is over rows."""

from sqlglot import exp

from ingot.errors import did_you_mean
from ingot.semantic.model import Measure, Model
from ingot.semantic.sql.allowed import MEASURE
from ingot.semantic.sql.errors import SqlError
from ingot.semantic.sql.postgres.forms.aggregating import aggregate_name
from ingot.semantic.sql.questions.columns import inside, marked, members

_PLAIN: dict[type[exp.Expr], str] = {exp.Sum: "sum", exp.Avg: "avg", exp.Min: "min", exp.Max: "max"}
_COUNTED = frozenset({"count_distinct", "count_distinct_approx"})


def is_measure_call(node: exp.Expr) -> bool:
    """Whether a node is `MEASURE(x)`."""
    return isinstance(node, exp.Anonymous) and node.name.upper() == MEASURE


def is_aggregate(node: exp.Expr) -> bool:
    """Whether a node is an aggregate that makes groups: no window function, nor what only one can be."""
    holder = node.parent if isinstance(node.parent, exp.Filter) and node.arg_key == "this" else node
    if isinstance(holder.parent, exp.Window) and holder.arg_key == "this":
        return False
    if isinstance(node, exp.Filter | exp.WithinGroup):
        return is_aggregate(node.this) if isinstance(node, exp.Filter) else is_aggregate_call(node.this)
    return is_aggregate_call(node)


def is_aggregate_call(node: exp.Expr) -> bool:
    return is_measure_call(node) or aggregate_name(node) is not None or isinstance(node, exp.WithinGroup)


def asked_measure(node: exp.Expr, model: Model, owners: list[str]) -> str | None:
    """The full name of the measure that an aggregate asks for; None where it is over the rows themselves.

    Raises `SqlError` for an aggregate that is not the measure's.
    """
    if is_measure_call(node):
        name = marked(node.expressions[0].unnest())
        if name is None or not isinstance(model.members[name].member, Measure):
            known = [one for one in model.members if isinstance(model.members[one].member, Measure)]
            said = f", which '{name}' is not{did_you_mean(name, known)}" if name else " alone, by its name"
            raise SqlError(f"MEASURE takes a measure{said}.", at=node, sqlstate="42803")
        return name
    if isinstance(node, exp.Filter):
        return None  # it is no measure, but one of some of its rows
    measures = [one for one in members(node) if isinstance(model.members[one].member, Measure)]
    if type(node) not in (*_PLAIN, exp.Count):
        if measures:
            raise SqlError(
                f"'{measures[0]}' is a measure, which has an aggregate of its own: MEASURE({measures[0].partition('.')[2]}).",
                at=node,
                sqlstate="42803",
            )
        return None
    operand = node.this
    if isinstance(node, exp.Count) and (
        operand is None or isinstance(operand, exp.Star) or _is_constant(operand)
    ):
        return _count(model, owners)
    distinct = isinstance(operand, exp.Distinct)
    inner = operand.expressions[0] if distinct and len(operand.expressions) == 1 else operand
    name = marked(inner.unnest())
    if name is None or not measures:
        if measures:
            raise SqlError(
                f"'{measures[0]}' is a measure, which is aggregated before anything is computed with it: "
                f"write the aggregate around the measure alone, or MEASURE({measures[0].partition('.')[2]}).",
                at=node,
                sqlstate="42803",
            )
        return None
    _check(node, name, model, distinct=distinct)
    return name


def filtered(node: exp.Expr, model: Model, owners: list[str]) -> tuple[str, exp.Expr] | None:
    """The measure and the condition of `SUM(measure) FILTER (WHERE …)`; None for an aggregate of another kind.

    Raises `SqlError` for a condition on measures or aggregates, and for an aggregate that is not the measure's.
    """
    if not isinstance(node, exp.Filter):
        return None
    test = node.expression.this
    wrong = next((one for one in inside(test) if is_aggregate(one) or _is_measure(one, model)), None)
    if wrong is not None:
        raise SqlError("aggregate functions are not allowed in FILTER", at=wrong, sqlstate="42803")
    if not any(isinstance(model.members[one].member, Measure) for one in members(node.this)):
        return None
    name = asked_measure(node.this, model, owners)
    assert name is not None
    return name, test


def _is_measure(node: exp.Expr, model: Model) -> bool:
    name = marked(node)
    return name is not None and isinstance(model.members[name].member, Measure)


def _check(node: exp.Expr, name: str, model: Model, *, distinct: bool) -> None:
    # A mask is another aggregate than the measure that it stands for, which tools write.
    measure = (model.whole or model).members[model.members[name].name].member
    assert isinstance(measure, Measure)
    kind = "count" if isinstance(node, exp.Count) else _PLAIN[type(node)]
    if distinct:
        fits = kind == "count" and measure.aggregate in _COUNTED
    elif measure.aggregate in ("raw", "calculated", "rank"):
        fits = kind != "count" and measure.type == "number"
    else:
        fits = measure.aggregate == kind
    if not fits:
        written = f"{kind.upper()}(DISTINCT)" if distinct else kind.upper()
        raise SqlError(
            f"Measure aggregation type doesn't match. The aggregation type for '{name}' is "
            f"{measure.aggregate}, but {written} was asked.",
            at=node,
            sqlstate="42803",
            hint=f"MEASURE({name.partition('.')[2]}) always fits.",
        )


def _is_constant(node: exp.Expr) -> bool:
    """Whether COUNT(x) counts all rows: a value that is never null."""
    return isinstance(node.unnest(), exp.Literal | exp.Boolean)


def _count(model: Model, owners: list[str]) -> str | None:
    """The measure that COUNT(*) of one cube or view is: a count of all rows, the first cube's first."""
    if len(owners) != 1:
        return None
    owner = owners[0]
    if owner in model.views:
        root = min((one.path for one in model.views[owner].members.values()), key=len, default=())
        names = [one.full_name for one in model.views[owner].members.values() if one.path == root]
    else:
        names = [f"{owner}.{name}" for name in model.cubes[owner].measures]
    for name in names:
        found = model.members.get(name)
        member = found.member if found is not None and found.label.public else None
        if (
            isinstance(member, Measure)
            and member.aggregate == "count"
            and member.sql is None
            and member.condition is None
            and not member.staged
        ):
            return name
    return None
