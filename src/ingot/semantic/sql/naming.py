"""What PostgreSQL calls the columns of a SELECT that gives them no names."""

from sqlglot import exp

from ingot.semantic.sql.allowed import CALLED, called
from ingot.semantic.sql.postgres.kinds import named
from ingot.semantic.sql.questions.aggregates import is_measure_call

NOTHING = "?column?"
GIVEN = "given"
"""In the `meta` of a parameter's value: it has no name, whatever it is written as."""


def output_name(node: exp.Expr) -> str:
    """The name of an output column: its alias, its column, its function, or `?column?`."""
    if isinstance(node, exp.Alias):
        return _folded(node.args["alias"])
    return _named(node)[0]


def _folded(node: exp.Expr) -> str:
    """A name as PostgreSQL folds it: in small letters without quotes."""
    name: str = node.name
    return name if node.args.get("quoted") else name.lower()


def _named(node: exp.Expr) -> tuple[str, int]:  # noqa: PLR0911, PLR0912 - one for each form
    """The name, and how sure it is: a type's name gives way to that of what is cast."""
    if node.meta.get(GIVEN):
        return NOTHING, 0
    node = node.unnest() if not isinstance(node, exp.Subquery) else node
    if isinstance(node, exp.Column):
        # A member of the model may have capitals, and is found without quotes, too.
        return (_folded(node.this) if node.name.isupper() else node.name), 2
    if is_measure_call(node):
        inner = node.expressions[0].unnest()
        return (inner.name, 2) if isinstance(inner, exp.Column) else ("measure", 2)
    if isinstance(node, exp.Window | exp.Filter | exp.WithinGroup | exp.Bracket | exp.Collate):
        return _named(node.this)
    if isinstance(node, exp.AtTimeZone):
        return "timezone", 2
    if isinstance(node, exp.Case):
        name, sure = _named(node.args["default"]) if node.args.get("default") is not None else (NOTHING, 0)
        return (name, sure) if sure > 1 else ("case", 1)
    if isinstance(node, exp.Boolean):
        return "bool", 1
    if isinstance(node, exp.Interval):
        return "interval", 1
    if isinstance(node, exp.Cast):
        name, sure = _named(node.this)
        return (name, sure) if sure > 1 else (named(node.to)[0].removesuffix("[]"), 1)
    if isinstance(node, exp.Anonymous):
        return called(node), 2
    if isinstance(node, exp.Exists):
        return "exists", 2
    if isinstance(node, exp.Array):
        return "array", 2
    if isinstance(node, exp.Tuple):
        return "row", 2
    if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Select) and node.this.expressions:
        return output_name(node.this.expressions[0]), 2
    return (CALLED[type(node)], 2) if type(node) in CALLED else (NOTHING, 0)
