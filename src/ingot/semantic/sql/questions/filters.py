"""A condition over members -> Cube's filters, where they can say exactly the same; else None.

SQL's conditions pass a row where they are true, and nothing is true of null: what is negated asks for
`set` beside it, which Cube's negations do not.
"""

import re
from datetime import datetime
from typing import Any

from sqlglot import exp

from ingot.semantic.model import Dimension, Model, Segment
from ingot.semantic.sql.allowed import called
from ingot.semantic.sql.postgres import kinds
from ingot.semantic.sql.postgres.input import Clock, array_items
from ingot.semantic.sql.postgres.kinds import named
from ingot.semantic.sql.questions.columns import marked
from ingot.semantic.sql.questions.constants import constant, floor, following, written_text

Filter = dict[str, Any]
MOST = 200
"""Filters of one condition; more are a condition of the statement's own."""
DEPTH = 12

_FLIPPED: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.EQ: exp.EQ, exp.NEQ: exp.NEQ, exp.GT: exp.LT, exp.GTE: exp.LTE, exp.LT: exp.GT, exp.LTE: exp.GTE,
}  # fmt: skip
_OPERATORS: dict[type[exp.Expr], str] = {exp.GT: "gt", exp.GTE: "gte", exp.LT: "lt", exp.LTE: "lte"}
_OPPOSITE = {"gt": "lte", "gte": "lt", "lt": "gte", "lte": "gt"}
PERIODS = frozenset({"second", "minute", "hour", "day", "week", "month", "quarter", "year"})
_NUMBER = re.compile(r"[+-]?\d{1,40}(\.\d{1,40})?")


def as_filter(node: exp.Expr, model: Model, clock: Clock) -> tuple[Filter, bool] | None:
    """The filter that passes the same rows, and whether it is another one at another time."""
    reader = _Reader(model, clock)
    found = reader.read(node, negated=False, depth=0)
    return (found, reader.moving) if found is not None else None


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
    def __init__(self, model: Model, clock: Clock) -> None:
        self.model = model
        self.clock = clock
        self.count = 0
        self.moving = False

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
        if node.args.get("query") is not None or not node.expressions:
            return None
        return self.among(node.this, node.expressions, negated=negated)

    def among(self, node: exp.Expr, items: list[exp.Expr], *, negated: bool) -> Filter | None:
        found = self.dimension(node)
        if found is None:
            if self.stepped(node) is None or len(items) > MOST:
                return None
            tests = [self.compare(exp.EQ(this=node, expression=one), negated=negated) for one in items]
            return None if None in tests else {"and" if negated else "or": tests}
        values = [self.value(each, found[1]) for each in items]
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

    def compare(self, node: exp.Expr, *, negated: bool) -> Filter | None:  # noqa: PLR0911 - one for each form
        kind = type(node)
        if kind not in _FLIPPED:
            return None
        listed = self.listed(node)
        if listed is not None:
            if listed and (kind is exp.EQ) == isinstance(node.expression, exp.Any):
                return self.among(node.this, listed, negated=negated is (kind is exp.EQ))
            return None
        left, right = node.this, node.expression
        if self.dimension(left) is None and self.stepped(left) is None:
            left, right, kind = right, left, _FLIPPED[kind]
        found = self.dimension(left)
        if found is None:
            step = self.stepped(left)
            return self.periods(step, kind, right, negated=negated) if step is not None else None
        value = self.value(right, found[1])
        if value is None:
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

    @staticmethod
    def listed(node: exp.Expr) -> list[exp.Expr] | None:
        """The values of `ANY (ARRAY[…])`, `ANY ('{…}')` and of ALL."""
        right = node.expression
        if isinstance(right, exp.Any):
            given = right.this.unnest()
        elif isinstance(right, exp.Anonymous) and right.name.upper() == "ALL" and len(right.expressions) == 1:
            given = right.expressions[0].unnest()
        else:
            return None
        if isinstance(given, exp.Cast) and kinds.is_array(named(given.to)[0]):
            given = given.this.unnest()
            if not isinstance(given, exp.Literal):
                return []
        if isinstance(given, exp.Array):
            return list(given.expressions)
        items = array_items(given.name) if isinstance(given, exp.Literal) and given.is_string else None
        if items is None or None in items:
            return []
        return [exp.Literal.string(one) for one in items]

    # -- values ----------------------------------------------------------------------------------------

    def value(self, node: exp.Expr, kind: str) -> str | None:
        """A constant as the text of a filter's value, where it is one of the member's type."""
        node = node.unnest()
        if kind == "time":
            found = constant(node, self.clock)
            if found is None:
                return None
            self.moving = self.moving or found.moving
            return _told(found.at)
        return _value(node, kind)

    def stepped(self, node: exp.Expr) -> tuple[str, str] | None:
        """A time dimension and the period that an expression cuts it to; `year of` for the number of its year."""
        node = node.unnest()
        if isinstance(node, exp.Cast) and named(node.to) == ("date", ()):
            found = self.dimension(node.this)
            return (found[0], "day") if found is not None and found[1] == "time" else None
        if not isinstance(node, exp.Anonymous) or len(node.expressions) != 2:
            return None
        name, (said, inner) = called(node), node.expressions
        unit = (written_text(said) or "").lower()
        inner = inner.unnest()
        if isinstance(inner, exp.Cast) and named(inner.to) == ("timestamp", ()):
            inner = inner.this.unnest()
        found = self.dimension(inner)
        if found is None or found[1] != "time":
            return None
        if name in ("extract", "date_part") and unit == "year":
            return found[0], "year of"
        return (found[0], unit) if name == "date_trunc" and unit in PERIODS else None

    def periods(  # noqa: PLR0911 - one for each form
        self, step: tuple[str, str], kind: type[exp.Expr], right: exp.Expr, *, negated: bool
    ) -> Filter | None:
        """A period compared with a constant, as a range of moments."""
        name, unit = step
        try:
            if unit == "year of":
                said = right.unnest()
                if (
                    not isinstance(said, exp.Literal)
                    or not said.name.isdigit()
                    or not 0 < int(said.name[:6]) < 9999
                ):
                    return None
                at, unit = datetime(int(said.name), 1, 1), "year"  # noqa: DTZ001 - on the statement's wall
            else:
                found = constant(right, self.clock)
                if found is None or (
                    unit == "day" and found.kind == "unknown" and found.at != floor(found.at, "day")
                ):
                    return None
                self.moving = self.moving or found.moving
                at = found.at
            first = floor(at, unit)
            after = following(first, unit)
        except (OverflowError, ValueError):
            return None
        start = _told(first)
        end = _told(after)
        whole = first == at
        if kind in (exp.EQ, exp.NEQ):
            if not whole:
                return None
            if (kind is exp.NEQ) == negated:
                return {"and": [_filter(name, "gte", start), _filter(name, "lt", end)]}
            return {"or": [_filter(name, "lt", start), _filter(name, "gte", end)]}
        operator = _OPERATORS[kind]
        if negated:
            operator = _OPPOSITE[operator]
        edge = start if whole and operator in ("gte", "lt") else end
        return _filter(name, "gte" if operator in ("gt", "gte") else "lt", edge)


def _told(at: datetime) -> str:
    return at.isoformat(sep=" ", timespec="microseconds" if at.microsecond else "seconds")


def _value(node: exp.Expr, kind: str) -> str | None:
    """A literal, which may be cast, as the text of a filter's value."""
    if isinstance(node, exp.Cast):
        return _cast_value(node, kind)
    if kind == "boolean":
        return ("true" if node.this else "false") if isinstance(node, exp.Boolean) else None
    if kind == "number":
        sign = ""
        if isinstance(node, exp.Neg):
            sign, node = "-", node.this.unnest()
        found = node.name if isinstance(node, exp.Literal) else ""
        found = sign + found
        return found if _NUMBER.fullmatch(found) else None
    return node.name if kind == "string" and isinstance(node, exp.Literal) and node.is_string else None


def _cast_value(node: exp.Cast, kind: str) -> str | None:
    wanted, sizes = named(node.to)
    inner = node.this.unnest()
    if kind == "number" and wanted in (*kinds.WHOLE, "numeric") and not sizes:
        found = _value(inner, kind)
        most = {"int2": 4, "int4": 9, "int8": 18}.get(wanted, 40)
        exact = found is not None and (wanted == "numeric" or re.fullmatch(rf"[+-]?\d{{1,{most}}}", found))
        return found if exact else None
    if (
        kind == "string"
        and wanted in ("text", "varchar")
        and isinstance(inner, exp.Literal)
        and inner.is_string
    ):
        return inner.name if not sizes or len(inner.name) <= sizes[0] else None
    if kind == "boolean" and wanted == "bool" and isinstance(inner, exp.Literal) and inner.is_string:
        return {"true": "true", "t": "true", "false": "false", "f": "false"}.get(inner.name.lower())
    if kind == "boolean" and wanted == "bool":
        return _value(inner, kind)
    return None


def _filter(member: str, operator: str, *values: str) -> Filter:
    return {"member": member, "operator": operator, "values": list(values)}


def _unlike(member: str, *values: str) -> Filter:
    return {"and": [_filter(member, "notEquals", *values), {"member": member, "operator": "set"}]}
