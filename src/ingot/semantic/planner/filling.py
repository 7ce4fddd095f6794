"""What only a question can say -> compiled expressions: its time zone, its filters, and who asks.

A filter comes as a parameter, never as text. Where the question has no such filter, or one whose values a
function in the model cannot take, the mark becomes TRUE: the filter itself holds outside of the cube anyway,
so that this only reads more rows, and never others.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlglot import exp

from ingot.semantic import marks
from ingot.semantic.context import Context
from ingot.semantic.errors import QueryError
from ingot.semantic.model import Dimension, Model
from ingot.semantic.planner.filters import Parameters, arguments, condition
from ingot.semantic.planner.resolve import Condition, Tree
from ingot.semantic.planner.times import in_zone

Param = tuple[exp.Expr, int]
"""What a FILTER_PARAMS puts the filter on, and how many values it takes (-1: it is an expression)."""


class Filling:
    """Fills the marks of compiled expressions for one question, or for one part of it with filters of its own."""

    def __init__(
        self,
        model: Model,
        where: Sequence[Tree],
        *,
        zone: str,
        parameters: Parameters,
        context: Context,
    ) -> None:
        self.model = model
        self.where = where
        self.zone = zone
        self.parameters = parameters
        self.context = context

    def fill(self, tree: exp.Expr) -> exp.Expr:
        """`tree`, which may be changed, without marks of times, filters and contexts."""
        if isinstance(tree, exp.Column):  # most are, and hold no marks
            return tree
        return tree.transform(self._one, copy=False)

    def _one(self, node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.In) and node.expressions:
            self._listed(node)
        if not isinstance(node, exp.Anonymous):
            return node
        if node.this == marks.LOCAL:
            return in_zone(self.fill(node.expressions[0].copy()), self.zone)
        if node.this == marks.FILTER:
            return self._filters([node])
        if node.this == marks.GROUP:
            return self._filters(node.expressions)
        return self._security(node) if node.this == marks.SECURITY else node

    def _filters(self, params: Sequence[exp.Expr]) -> exp.Expr:
        wanted: dict[int, list[Param]] = {}
        for mark in params:
            name, taken, operand = mark.expressions
            found = self.model.members.get(name.name)
            if found is not None:
                # A mark below a mark is not walked to by what replaces the upper one.
                filled = self.fill(operand.copy())
                wanted.setdefault(id(found.member), []).append((filled, _number(taken)))
        tests = [test for tree in self.where if (test := self._test(tree, wanted)) is not None]
        return exp.Paren(this=exp.and_(*tests, copy=False)) if tests else exp.true()

    def _test(self, tree: Tree, wanted: Mapping[int, list[Param]]) -> exp.Expr | None:
        """What of a tree of filters the wanted members can say; None where that is nothing."""
        if isinstance(tree, Condition):
            mine = [self._on(tree, *one) for one in wanted.get(id(tree.found.member), ())]
            tests = [test for test in mine if test is not None]
            return exp.Paren(this=exp.and_(*tests, copy=False)) if tests else None
        parts = [self._test(part, wanted) for part in tree.parts]
        known = [part for part in parts if part is not None]
        if not known or (not tree.every and len(known) < len(parts)):
            return None
        return exp.Paren(this=(exp.and_ if tree.every else exp.or_)(*known, copy=False))

    def _on(self, one: Condition, operand: exp.Expr, taken: int) -> exp.Expr | None:
        if taken < 0:
            column: Callable[[], exp.Expr] = lambda: marks.wrapped(operand.copy())  # noqa: E731
            return exp.Paren(this=condition(one, column, zone=self.zone, parameters=self.parameters))
        assert isinstance(one.found.member, Dimension)
        rows = arguments(one, zone=self.zone, parameters=self.parameters, taken=taken)
        if rows is None:
            return None
        return exp.Paren(this=exp.or_(*(_called(operand, row) for row in rows), copy=False))

    # -- who asks --------------------------------------------------------------------------------------

    def _security(self, mark: exp.Anonymous) -> exp.Expr:
        verb, path, taken, *operands = mark.expressions
        names = [part.name for part in path.expressions]
        value = self._value(names)
        if verb.name == "unsafeValue":
            if isinstance(value, list):
                raise _refused(names, "is a list, which stands in IN (…) only")
            return self._parameter(value, names)
        if value is None:
            if verb.name == "requiredFilter":
                raise _refused(names, "is required and not there")
            return exp.true()
        values = value if isinstance(value, list) else [value]
        operand, count = self.fill(operands[0].copy()), _number(taken)
        known = [self._parameter(each, names) for each in values if each is not None]
        if not known:
            return exp.false()
        if count >= 0:
            if count > 1:
                raise _refused(names, "is given to a function that takes more than one value")
            return exp.Paren(this=exp.or_(*(_called(operand, [each]) for each in known), copy=False))
        column = marks.wrapped(operand.copy())
        if len(known) == 1:
            return exp.Paren(this=exp.EQ(this=column, expression=known[0]))
        return exp.Paren(this=exp.In(this=column, expressions=known))

    def _value(self, names: Sequence[str]) -> Any:
        value: Any = self.context.security
        for name in names:
            value = value.get(name) if isinstance(value, Mapping) else None
        if isinstance(value, Mapping):
            raise _refused(names, "is not a single value")
        return list(value) if isinstance(value, tuple | set | frozenset) else value

    def _parameter(self, value: Any, names: Sequence[str]) -> exp.Expr:
        if value is None:
            return exp.null()
        if isinstance(value, bool):
            return exp.Boolean(this=value)
        if not isinstance(value, str | int | float) or (isinstance(value, str) and "\0" in value):
            raise _refused(names, "is not a text, a number or a truth value")
        return self.parameters.add(value)

    def _listed(self, node: exp.In) -> None:
        """A list of the security context becomes the list of an IN."""
        made: list[exp.Expr] = []
        for each in node.expressions:
            lists = (
                isinstance(each, exp.Anonymous)
                and each.this == marks.SECURITY
                and each.expressions[0].name == "unsafeValue"
            )
            value = self._value([part.name for part in each.expressions[1].expressions]) if lists else None
            if isinstance(value, list):
                names = [part.name for part in each.expressions[1].expressions]
                made += [self._parameter(one, names) for one in value] or [exp.null()]
            else:
                made.append(each)
        node.set("expressions", made)


def _number(tree: exp.Expr) -> int:
    return int(tree.to_py())


def _called(body: exp.Expr, values: Sequence[exp.Expr]) -> exp.Expr:
    def one(node: exp.Expr) -> exp.Expr:
        number = marks.argument_number(node)
        return node if number is None else values[number].copy()

    return exp.Paren(this=body.copy().transform(one, copy=False))


def _refused(names: Sequence[str], why: str) -> QueryError:
    return QueryError(f"The security context's '{'.'.join(names)}' {why}.")
