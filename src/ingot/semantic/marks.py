"""Marks that stand in compiled expressions for what only a query can decide.

A mark is an ordinary column of a table, or a call of a function, that no SQL can name, so that sqlglot copies
and walks it as usual. `filling.py` fills the marks of times, filters and the security context.
"""

from collections.abc import Callable, Sequence

from sqlglot import exp

_MEASURE = "\x00measure"
_ARGUMENT = "\x00argument"
LOCAL = "\x00LOCAL"
FILTER = "\x00FILTER"
GROUP = "\x00GROUP"
SECURITY = "\x00SECURITY"
OWN = "\x00own"
"""In the `meta` of a node: the author wrote it in another dialect than DuckDB's."""
_CONTEXT = frozenset({FILTER, GROUP, SECURITY})


def measure(full_name: str) -> exp.Column:
    """Stands for the value of a measure."""
    return exp.column(full_name, table=_MEASURE, quoted=True)


def measure_name(node: exp.Expr) -> str | None:
    """The full name of the measure that a node stands for, if it is such a mark."""
    return node.name if isinstance(node, exp.Column) and node.table == _MEASURE else None


def argument(number: int) -> exp.Column:
    """Stands for a value that a function in the model is called with."""
    return exp.column(str(number), table=_ARGUMENT, quoted=True)


def argument_number(node: exp.Expr) -> int | None:
    """Which argument a node stands for, if it is such a mark."""
    return int(node.name) if isinstance(node, exp.Column) and node.table == _ARGUMENT else None


def local(time: exp.Expr) -> exp.Expr:
    """Stands for `time` in the time zone of the query."""
    return exp.Anonymous(this=LOCAL, expressions=[time])


def filter_param(member: str, operand: exp.Expr, arguments: int | None) -> exp.Expr:
    """Stands for the query's filters on `member`, on another expression; or a function of their values."""
    taken = exp.Literal.number(-1 if arguments is None else arguments)
    return exp.Anonymous(this=FILTER, expressions=[exp.Literal.string(member), taken, operand])


def filter_group(params: Sequence[exp.Expr]) -> exp.Expr:
    """Stands for several of them, as the query joins them."""
    return exp.Anonymous(this=GROUP, expressions=list(params))


def security(path: Sequence[str], verb: str, operand: exp.Expr | None, arguments: int | None) -> exp.Expr:
    """Stands for a value of the security context, or a condition with it."""
    names = exp.Array(expressions=[exp.Literal.string(name) for name in path])
    taken = exp.Literal.number(-1 if arguments is None else arguments)
    parts = [exp.Literal.string(verb), names, taken]
    return exp.Anonymous(this=SECURITY, expressions=[*parts, *([operand] if operand is not None else [])])


def is_mark(node: exp.Expr) -> bool:
    """Whether a call is a mark and not a function of the engine."""
    return isinstance(node, exp.Anonymous) and (node.this == LOCAL or node.this in _CONTEXT)


def has_marks(tree: exp.Expr) -> bool:
    """Whether something in the tree is filled for each query."""
    return any(is_mark(node) for node in tree.find_all(exp.Anonymous))


def asks_context(node: exp.Expr) -> bool:
    """Whether a node depends on the query's filters or on who asks."""
    return isinstance(node, exp.Anonymous) and node.this in _CONTEXT


def has_context(tree: exp.Expr) -> bool:
    """Whether the tree depends on the query's filters or on who asks."""
    return any(asks_context(node) for node in tree.find_all(exp.Anonymous))


def has_security(tree: exp.Expr) -> bool:
    """Whether the tree depends on who asks."""
    return any(node.this == SECURITY for node in tree.find_all(exp.Anonymous))


def fill_local(tree: exp.Expr, convert: Callable[[exp.Expr], exp.Expr]) -> exp.Expr:
    """`tree` with every local time converted."""

    def one(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Anonymous) and node.this == LOCAL:
            return convert(node.expressions[0])
        return node

    return tree.transform(one, copy=False)


def fill_measures(tree: exp.Expr, value: Callable[[str], exp.Expr]) -> exp.Expr:
    """`tree` with every measure replaced by `value(full_name)`."""

    def one(node: exp.Expr) -> exp.Expr:
        name = measure_name(node)
        return node if name is None else wrapped(value(name))

    return tree.transform(one, copy=False)


def wrapped(tree: exp.Expr) -> exp.Expr:
    """`tree`, in parentheses unless it binds tighter than any operator."""
    atoms: tuple[type[exp.Expr], ...] = (
        exp.Column, exp.AggFunc, exp.Case, exp.Coalesce, exp.Literal, exp.Paren, exp.Null, exp.Boolean,
        exp.Parameter, exp.Filter, exp.Subquery, exp.Anonymous,
    )  # fmt: skip
    if isinstance(tree, atoms) or type(tree) is exp.Cast:
        return tree
    return exp.Paren(this=tree)
