"""The types of parameters that neither the client nor PostgreSQL has named, and values to plan a statement with."""

from collections.abc import Mapping, Sequence

from sqlglot import exp

from ingot.pgwire import types
from ingot.semantic.model import Dimension, Measure, Model
from ingot.semantic.sql.questions.columns import faces
from ingot.semantic.sql.statements import NOTHING, Bound

_CASTS = {
    "SMALLINT": types.INT2, "INT": types.INT4, "BIGINT": types.INT8, "DECIMAL": types.NUMERIC, "FLOAT": types.FLOAT4,
    "DOUBLE": types.FLOAT8, "TEXT": types.TEXT, "VARCHAR": types.TEXT, "CHAR": types.TEXT, "BOOLEAN": types.BOOL,
    "DATE": types.DATE, "TIMESTAMP": types.TIMESTAMP, "TIMESTAMPTZ": types.TIMESTAMPTZ, "INTERVAL": types.INTERVAL,
}  # fmt: skip
_MEMBERS = {"time": types.TIMESTAMP, "number": types.NUMERIC, "boolean": types.BOOL, "string": types.TEXT}
_COMPARED = (
    exp.EQ,
    exp.NEQ,
    exp.GT,
    exp.GTE,
    exp.LT,
    exp.LTE,
    exp.Between,
    exp.In,
    exp.NullSafeEQ,
    exp.NullSafeNEQ,
)
_COMPUTED = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod)
_TYPED = {
    types.BOOL: "BOOLEAN", types.INT2: "SMALLINT", types.INT4: "INT", types.INT8: "BIGINT", types.NUMERIC: "DECIMAL",
    types.FLOAT4: "FLOAT", types.FLOAT8: "DOUBLE", types.DATE: "DATE", types.TIMESTAMP: "TIMESTAMP",
    types.TIMESTAMPTZ: "TIMESTAMPTZ", types.INTERVAL: "INTERVAL",
}  # fmt: skip
_SAMPLES = {
    types.BOOL: "t", types.NUMERIC: "1", types.FLOAT4: "1", types.FLOAT8: "1", types.DATE: "2000-01-01",
    types.TIMESTAMP: "2000-01-01", types.TIMESTAMPTZ: "2000-01-01", types.INTERVAL: "1 day",
}  # fmt: skip


def count(tree: exp.Expr) -> int:
    """How many parameters a statement has: the highest of `$1`, `$2`, …"""
    return max((int(one.name) for one in tree.find_all(exp.Parameter) if one.name.isdigit()), default=0)


def inferred(tree: exp.Expr, model: Model) -> Mapping[int, int]:
    """The types of parameters, as far as what they are compared with says them."""
    found: dict[int, int] = {}
    for node in tree.find_all(exp.Parameter):
        if node.name.isdigit():
            kind = _kind(node, model)
            if kind:
                found.setdefault(int(node.name), kind)
    return found


def _kind(node: exp.Expr, model: Model) -> int:
    parent = node.parent
    while isinstance(parent, exp.Paren | exp.Neg | exp.Tuple):
        node, parent = parent, parent.parent
    if isinstance(parent, exp.Limit | exp.Offset):
        return types.INT8
    if isinstance(parent, exp.Cast):
        kind = parent.to.this
        return _CASTS.get(kind.value, 0) if isinstance(kind, exp.DataType.Type) else 0
    if isinstance(parent, exp.Like | exp.ILike | exp.RegexpLike | exp.RegexpILike | exp.DPipe):
        return types.TEXT
    if isinstance(parent, (*_COMPARED, *_COMPUTED)):
        others = [one for one in parent.iter_expressions() if one is not node]
        return next((kind for one in others if (kind := _of(one.unnest(), model))), 0)
    return 0


def _of(node: exp.Expr, model: Model) -> int:  # noqa: PLR0911 - one for each form
    """The type of what stands beside a parameter, as far as it is plain."""
    if isinstance(node, exp.Column):
        return _member(node.name, model)
    if isinstance(node, exp.Literal):
        return types.TEXT if node.is_string else (types.NUMERIC if "." in node.name else types.INT4)
    if isinstance(node, exp.Count):
        return types.INT8
    if isinstance(node, exp.Sum | exp.Avg):
        return types.NUMERIC
    if isinstance(node, exp.Cast):
        kind = node.to.this
        return _CASTS.get(kind.value, 0) if isinstance(kind, exp.DataType.Type) else 0
    if isinstance(node, exp.TimestampTrunc | exp.DateTrunc):
        return types.TIMESTAMP
    if isinstance(node, exp.Anonymous):
        if node.name.upper() == "MEASURE" and node.expressions:
            return _of(node.expressions[0].unnest(), model)
        return types.TIMESTAMP if node.name.lower() == "date_trunc" else 0
    return 0


def _member(name: str, model: Model) -> int:
    """The type of a column, where all members of its name agree."""
    folded = name.casefold()
    kinds = set()
    for face in faces(model):
        found = model.members.get(f"{face}.{folded}") or model.members.get(f"{face}.{name}")
        if found is not None and isinstance(found.member, Dimension | Measure):
            kinds.add(_MEMBERS.get(found.member.type, types.TEXT))
    return kinds.pop() if len(kinds) == 1 else 0


def sample(kinds: Sequence[int]) -> Bound:
    """Some values of these types: to see whether a statement can be planned, and what its columns are."""
    if not kinds:
        return NOTHING
    return Bound(tuple(_sample(kind) for kind in kinds), ("sample", *kinds))


def _sample(kind: int) -> exp.Expr:
    if kind in (types.INT2, types.INT4, types.INT8, types.OID):
        return exp.Literal.number(1)
    known = types.TYPES.get(kind)
    if known is not None and known.element:
        return exp.Literal.string(f"{{{_SAMPLES.get(known.element, '1')}}}")
    text = exp.Literal.string(_SAMPLES.get(kind, "day"))  # date_trunc($1, …) asks for a unit
    return exp.Cast(this=text, to=exp.DataType.build(_TYPED[kind])) if kind in _TYPED else text
