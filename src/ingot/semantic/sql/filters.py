"""A condition over members -> Cube's filters, where they can say exactly the same; else None.

SQL's conditions pass a row where they are true, and nothing is true of null: what is negated asks for
`set` beside it, which Cube's negations do not.
"""

import re
from typing import Any

from sqlglot import exp

from ingot.semantic.model import Dimension, Model, Segment
from ingot.semantic.sql.columns import marked
from ingot.semantic.sql.postgres.kinds import named

Filter = dict[str, Any]
MOST = 200
"""Filters of one condition; more are a condition of the statement's own."""
DEPTH = 12

_FLIPPED: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.EQ: exp.EQ, exp.NEQ: exp.NEQ, exp.GT: exp.LT, exp.GTE: exp.LTE, exp.LT: exp.GT, exp.LTE: exp.GTE,
}  # fmt: skip
_OPERATORS: dict[type[exp.Expr], str] = {exp.GT: "gt", exp.GTE: "gte", exp.LT: "lt", exp.LTE: "lte"}
_OPPOSITE = {"gt": "lte", "gte": "lt", "lt": "gte", "lte": "gt"}
_TIME = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d{1,6})?)?)?")
_NUMBER = re.compile(r"[+-]?\d{1,40}(\.\d{1,40})?")


def as_filter(node: exp.Expr, model: Model) -> Filter | None:
    """The filter that passes the same rows."""
    return _Reader(model).read(node, negated=False, depth=0)


def segment(node: exp.Expr, model: Model) -> str | None:
    """The segment that a whole condition is: `large`, `large IS TRUE` or `large = TRUE`."""
    node = node.unnest()
    if (
        isinstance(node, exp.Is | exp.EQ)
        and isinstance(node.expression, exp.Boolean)
        and node.expression.this
    ):
        node = node.this.unnest()
    name = marked(node)
    return name if name is not None and isinstance(model.members[name].member, Segment) else None


class _Reader:
    def __init__(self, model: Model) -> None:
        self.model = model
        self.count = 0

    def read(self, node: exp.Expr, *, negated: bool, depth: int) -> Filter | None:  # noqa: PLR0911 - one for each form
        self.count += 1
        if self.count > MOST or depth > DEPTH:
            return None
        node = node.unnest()
        if isinstance(node, exp.Not):
            return self.read(node.this, negated=not negated, depth=depth)
        if isinstance(node, exp.And | exp.Or):
            parts = [self.read(each, negated=negated, depth=depth + 1) for each in node.flatten()]
            if any(part is None for part in parts):
                return None
            return {"and" if isinstance(node, exp.And) != negated else "or": parts}
        if isinstance(node, exp.Column):
            return self.truth(node, value=not negated)
        if isinstance(node, exp.Is):
            return self.is_(node, negated=negated)
        if isinstance(node, exp.In):
            return self.in_(node, negated=negated)
        if isinstance(node, exp.Between):
            low = exp.GTE(this=node.this, expression=node.args["low"])
            high = exp.LTE(this=node.this, expression=node.args["high"])
            if node.args.get("symmetric"):
                return None
            parts = [self.compare(each, negated=negated) for each in (low, high)]
            return None if None in parts else {"or" if negated else "and": parts}
        if isinstance(node, exp.ILike):
            return self.ilike(node, negated=negated)
        return self.compare(node, negated=negated)

    def dimension(self, node: exp.Expr | None) -> tuple[str, str] | None:
        """The name and type of the dimension that a node is."""
        name = marked(node.unnest()) if node is not None else None
        member = self.model.members[name].member if name is not None else None
        return (name, member.type) if name is not None and isinstance(member, Dimension) else None

    def truth(self, node: exp.Expr, *, value: bool) -> Filter | None:
        found = self.dimension(node)
        if found is None or found[1] != "boolean":
            return None
        return _filter(found[0], "equals", "true" if value else "false")

    def is_(self, node: exp.Is, *, negated: bool) -> Filter | None:
        found = self.dimension(node.this)
        if found is None:
            return None
        if isinstance(node.expression, exp.Null):
            return {"member": found[0], "operator": "set" if negated else "notSet"}
        if isinstance(node.expression, exp.Boolean) and found[1] == "boolean":
            wanted = "true" if node.expression.this else "false"
            # IS NOT TRUE holds for null, as Cube's notEquals does.
            return _filter(found[0], "notEquals" if negated else "equals", wanted)
        return None

    def in_(self, node: exp.In, *, negated: bool) -> Filter | None:
        found = self.dimension(node.this)
        if found is None or node.args.get("query") is not None or not node.expressions:
            return None
        values = [_value(each, found[1]) for each in node.expressions]
        known = [value for value in values if value is not None]
        if len(known) != len(values):
            return None
        return _unlike(found[0], *known) if negated else _filter(found[0], "equals", *known)

    def ilike(self, node: exp.ILike, *, negated: bool) -> Filter | None:
        found = self.dimension(node.this)
        pattern = node.expression
        if (
            found is None
            or found[1] != "string"
            or not isinstance(pattern, exp.Literal)
            or not pattern.is_string
        ):
            return None
        inner = pattern.name.strip("%")
        if not inner or set(inner) & set("%_\\") or pattern.name.count("%") > 2:
            return None
        before, after = pattern.name.startswith("%"), pattern.name.endswith("%")
        kind = {(True, True): "contains", (False, True): "startsWith", (True, False): "endsWith"}.get(
            (before, after)
        )
        if kind is None:
            return None
        if negated:
            kind = f"not{kind[0].upper()}{kind[1:]}"
            return {"and": [_filter(found[0], kind, inner), {"member": found[0], "operator": "set"}]}
        return _filter(found[0], kind, inner)

    def compare(self, node: exp.Expr, *, negated: bool) -> Filter | None:
        kind = type(node)
        if kind not in _FLIPPED:
            return None
        left, right = node.this, node.expression
        if self.dimension(left) is None:
            left, right, kind = right, left, _FLIPPED[kind]
        found = self.dimension(left)
        value = _value(right, found[1]) if found is not None else None
        if found is None or value is None:
            return None
        name, type_ = found
        if kind in (exp.EQ, exp.NEQ):
            if (kind is exp.NEQ) == negated:
                return _filter(name, "equals", value)
            return _unlike(name, value)
        if type_ not in ("number", "time"):
            return None
        operator = _OPERATORS[kind]
        return _filter(name, _OPPOSITE[operator] if negated else operator, value)


def _value(node: exp.Expr, kind: str) -> str | None:
    """A literal as the text of a filter's value, where it is one of the member's type."""
    node = node.unnest()
    if kind == "time":
        if type(node) is exp.Cast and named(node.to) in (("date", ()), ("timestamp", ())):
            whole = named(node.to)[0] == "timestamp"
            node = node.this
            if not whole and isinstance(node, exp.Literal) and len(node.name) != 10:
                return None
        found = node.name if isinstance(node, exp.Literal) and node.is_string else ""
        return found if _TIME.fullmatch(found) else None
    if kind == "boolean":
        return ("true" if node.this else "false") if isinstance(node, exp.Boolean) else None
    if kind == "number":
        sign = ""
        if isinstance(node, exp.Neg):
            sign, node = "-", node.this
        found = node.name if isinstance(node, exp.Literal) else ""
        found = sign + found
        return found if _NUMBER.fullmatch(found) else None
    return node.name if kind == "string" and isinstance(node, exp.Literal) and node.is_string else None


def _filter(member: str, operator: str, *values: str) -> Filter:
    return {"member": member, "operator": operator, "values": list(values)}


def _unlike(member: str, *values: str) -> Filter:
    return {"and": [_filter(member, "notEquals", *values), {"member": member, "operator": "set"}]}
