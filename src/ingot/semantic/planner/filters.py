"""Conditions of a query -> SQL trees, with every value as a parameter.

Nulls are as in Cube: `notEquals` and the other negations also hold where the member is null, unless null
is one of the values; `set` and `notSet` ask for null itself.
"""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation

from sqlglot import exp

from ingot.semantic.errors import QueryError
from ingot.semantic.model import Segment
from ingot.semantic.planner import dates
from ingot.semantic.planner.building import Kind, cast
from ingot.semantic.planner.resolve import RANGES, Condition, Tree
from ingot.semantic.planner.times import as_timestamp

Value = str | int | float | bool | Decimal
ToSql = Callable[[Condition], exp.Expr]

_LIKE = {
    "contains": ("%", "%", False),
    "notContains": ("%", "%", True),
    "startsWith": ("", "%", False),
    "notStartsWith": ("", "%", True),
    "endsWith": ("%", "", False),
    "notEndsWith": ("%", "", True),
}
_COMPARE = {"gt": exp.GT, "gte": exp.GTE, "lt": exp.LT, "lte": exp.LTE}
_NUMBER = re.compile(r"[+-]?(\d{1,400}(\.\d{0,400})?|\.\d{1,400})([eE][+-]?\d{1,3})?")


class Parameters:
    """The values of one statement, numbered from 1 in the order in which they are first used."""

    def __init__(self) -> None:
        self.values: list[Value] = []
        self._numbers: dict[tuple[type, Value], int] = {}

    def add(self, value: Value) -> exp.Expr:
        """The placeholder that stands for `value`."""
        key = (type(value), value)
        number = self._numbers.get(key)
        if number is None:
            self.values.append(value)
            number = self._numbers[key] = len(self.values)
        return exp.Parameter(this=exp.Literal.number(number))


def condition_tree(tree: Tree, to_sql: ToSql) -> exp.Expr:
    """The SQL of a tree of conditions, each leaf written by `to_sql`."""
    if isinstance(tree, Condition):
        return exp.Paren(this=to_sql(tree))
    if not tree.parts:
        return exp.true() if tree.every else exp.false()
    parts = [condition_tree(part, to_sql) for part in tree.parts]
    if len(parts) == 1:
        return parts[0]
    return exp.Paren(this=(exp.and_ if tree.every else exp.or_)(*parts, copy=False))


def condition(
    one: Condition, column: Callable[[], exp.Expr], *, zone: str, parameters: Parameters
) -> exp.Expr:
    """The SQL of one condition on the value that `column` writes.

    Raises:
        QueryError: for values that do not fit the operator or the member's type.
    """
    operator = one.operator
    if operator in ("set", "notSet"):
        test: exp.Expr = exp.Is(this=column(), expression=exp.null())
        return exp.Not(this=test) if operator == "set" else test
    if not one.values:
        raise QueryError(f"The filter '{operator}' on '{one.found.name}' needs values.")
    assert not isinstance(one.found.member, Segment)
    kind = one.found.member.type
    return _Writer(one, column, kind, zone, parameters).write()


class _Writer:
    def __init__(
        self, one: Condition, column: Callable[[], exp.Expr], kind: str, zone: str, parameters: Parameters
    ) -> None:
        self.one = one
        self.column = column
        self.kind = kind
        self.zone = zone
        self.parameters = parameters

    def write(self) -> exp.Expr:
        operator = self.one.operator
        if operator in ("equals", "notEquals"):
            return self.equals(negated=operator == "notEquals")
        if operator in _LIKE:
            return self.like(*_LIKE[operator])
        if operator in RANGES:
            return self.in_dates(operator)
        return self.compare(_COMPARE[operator])

    def fail(self, message: str) -> QueryError:
        return QueryError(f"The filter '{self.one.operator}' on '{self.one.found.name}' {message}")

    def one_value(self) -> str:
        if len(self.one.values) != 1 or self.one.values[0] is None:
            raise self.fail("takes exactly one value that is not null.")
        return self.one.values[0]

    def typed(self) -> exp.Expr:
        """The member as something that its values can be compared with."""
        if self.kind == "time":
            return as_timestamp(self.column())
        return self.text() if self.kind == "string" else self.column()

    def text(self) -> exp.Expr:
        return cast(self.column(), Kind.TEXT)

    def value(self, text: str) -> exp.Expr:
        if self.kind == "number":
            return self.parameters.add(self.number(text))
        if self.kind == "boolean":
            folded = text.strip().lower()
            if folded not in ("true", "false", "1", "0"):
                raise self.fail(f"takes true or false, not '{text[:60]}'.")
            return exp.Boolean(this=folded in ("true", "1"))
        if self.kind == "time":
            return self.time(dates.instant(datetime.fromisoformat(text), self.zone))
        if "\0" in text:
            raise self.fail("has a value with a NUL character, which no text in a table can hold.")
        return self.parameters.add(text)

    def number(self, text: str) -> Value:
        stripped = text.strip()
        if not stripped.isascii() or not _NUMBER.fullmatch(stripped):
            raise self.fail(f"takes numbers, not '{text[:60]}'.")
        try:
            exact = Decimal(stripped)
        except InvalidOperation:
            raise self.fail(f"takes numbers, not '{text[:60]}'.") from None
        if exact == exact.to_integral_value() and abs(exact) < 2**63:
            return int(exact)
        digits = exact.as_tuple()
        exponent = int(digits.exponent)
        fits = max(len(digits.digits), -exponent) <= 38 and exponent <= 0
        return exact if fits else float(exact)

    def time(self, utc: datetime) -> exp.Expr:
        return as_timestamp(
            self.parameters.add(dates.written(utc) if utc.microsecond % 1000 == 0 else utc.isoformat())
        )

    def equals(self, *, negated: bool) -> exp.Expr:
        known = [self.value(text) for text in dict.fromkeys(self.one.values) if text is not None]
        with_null = None in self.one.values
        is_null = exp.Is(this=self.column(), expression=exp.null())
        if not known:
            return exp.Not(this=is_null) if negated else is_null
        if len(known) == 1:
            test: exp.Expr = (exp.NEQ if negated else exp.EQ)(this=self.typed(), expression=known[0])
        else:
            test = exp.In(this=self.typed(), expressions=known)
            test = exp.Not(this=test) if negated else test
        return exp.or_(test, is_null, copy=False) if with_null is not negated else test

    def like(self, before: str, after: str, negated: bool) -> exp.Expr:
        tests: list[exp.Expr] = []
        for text in dict.fromkeys(self.one.values):
            if text is None:
                continue
            if "\0" in text:
                raise self.fail("has a value with a NUL character, which no text in a table can hold.")
            pattern = before + re.sub(r"([\\%_])", r"\\\1", text) + after
            like = exp.Escape(
                this=exp.ILike(this=self.text(), expression=self.parameters.add(pattern)),
                expression=exp.Literal.string("\\"),
            )
            tests.append(_not(like) if negated else like)
        is_null = exp.Is(this=self.column(), expression=exp.null())
        if (None in self.one.values and not negated) or (negated and None not in self.one.values):
            both = (exp.and_ if negated else exp.or_)(*tests, copy=False) if tests else None
            return exp.or_(both, is_null, copy=False) if both is not None else is_null
        if not tests:
            return exp.Not(this=is_null)
        return (exp.and_ if negated else exp.or_)(*tests, copy=False)

    def compare(self, operator: type[exp.Binary]) -> exp.Expr:
        if self.kind == "boolean":
            raise self.fail("is for numbers, times and texts.")
        return operator(this=self.typed(), expression=self.value(self.one_value()))

    def in_dates(self, operator: str) -> exp.Expr:
        start, end = self.one.values
        assert start is not None
        assert end is not None
        span = dates.Span(datetime.fromisoformat(start), datetime.fromisoformat(end))
        if operator in ("inDateRange", "onTheDate"):
            return exp.and_(self.from_(span), self.until(span), copy=False)
        if operator == "notInDateRange":
            return exp.or_(_not(self.from_(span)), _not(self.until(span)), copy=False)
        if operator == "beforeDate":
            return exp.LT(this=self.typed(), expression=self.start(span))
        if operator == "afterOrOnDate":
            return self.from_(span)
        if operator == "beforeOrOnDate":
            return self.until(span)
        return _not(self.until(span))

    def start(self, span: dates.Span) -> exp.Expr:
        return self.time(dates.instant(span.start, self.zone))

    def from_(self, span: dates.Span) -> exp.Expr:
        return exp.GTE(this=self.typed(), expression=self.start(span))

    def until(self, span: dates.Span) -> exp.Expr:
        # The last millisecond stands for all that follows it before the next one: columns are finer than that.
        if span.end.microsecond == 999_000:
            try:
                following = dates.instant(span.end, self.zone, last=True) + timedelta(milliseconds=1)
            except OverflowError:
                return exp.Not(this=exp.Is(this=self.typed(), expression=exp.null()))
            return exp.LT(this=self.typed(), expression=self.time(following))
        return exp.LTE(this=self.typed(), expression=self.time(dates.instant(span.end, self.zone, last=True)))


def _not(tree: exp.Expr) -> exp.Expr:
    return exp.Not(this=exp.Paren(this=tree))


def arguments(
    one: Condition, *, zone: str, parameters: Parameters, taken: int
) -> list[list[exp.Expr]] | None:
    """The values of a condition for a function of the model that takes so many; of several calls one must hold.

    None for what such a function cannot say: the operators other than `equals` and date ranges, nulls, and
    too few values.
    """
    assert not isinstance(one.found.member, Segment)
    kind = one.found.member.type
    writer = _Writer(one, exp.null, kind, zone, parameters)
    if one.operator in ("inDateRange", "onTheDate"):
        start, end = (datetime.fromisoformat(text or "") for text in one.values)
        start, end = dates.instant(start, zone), dates.instant(end, zone, last=True)
        if end.microsecond == 999_000:
            end += timedelta(microseconds=999)
        both = [writer.time(start), writer.time(end)]
        return [both] if taken <= len(both) else None
    if one.operator != "equals" or None in one.values or not one.values:
        return None
    known = [writer.value(text) for text in dict.fromkeys(one.values) if text is not None]
    if taken == 1:
        return [[each] for each in known]
    return [known] if taken == len(known) else None
