"""Expressions of PostgreSQL -> trees that mean the same in the engine, with PostgreSQL's type of each."""

from collections.abc import Callable
from itertools import islice
from typing import Any, ClassVar

from sqlglot import exp

from ingot.errors import did_you_mean
from ingot.semantic.sql.errors import SqlError, shown
from ingot.semantic.sql.postgres import (  # noqa: F401 - they register
    aggregates,
    arrays,
    kinds,
    numbers,
    operators,
    patterns,
    regexes,
    strings,
    times,
)
from ingot.semantic.sql.postgres import input as texts
from ingot.semantic.sql.postgres.calls import AGGREGATES, FUNCTIONS, Call, Meant, Signature, chosen
from ingot.semantic.sql.postgres.casts import becoming, casted
from ingot.semantic.sql.postgres.input import Clock
from ingot.semantic.sql.postgres.regexes import like, matched, similar
from ingot.semantic.sql.postgres.tree import call, cast, not_, num, op, paren, text

TYPE = "pg_type"
"""In the `meta` of a column, or of an output of a written SELECT: its type."""

_COMPARED = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE)
_COMPUTED = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.Pow)
_BITS = (exp.BitwiseAnd, exp.BitwiseOr, exp.BitwiseXor, exp.BitwiseLeftShift, exp.BitwiseRightShift)
_PLACES: dict[type[exp.Expr], str] = {
    exp.RowNumber: "int8", exp.Rank: "int8", exp.DenseRank: "int8", exp.PercentRank: "float8", exp.CumeDist: "float8",
}  # fmt: skip
_SAME = (exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue, exp.NthValue)
_AGGREGATES: dict[type[exp.Expr], str] = {
    exp.Sum: "sum",
    exp.Avg: "avg",
    exp.Min: "min",
    exp.Max: "max",
    exp.Count: "count",
}
_GROWING = (exp.Anonymous, exp.Case, exp.Nullif, exp.Between, exp.In, *_COMPUTED, *_COMPARED)
MOST = 50_000
"""Parts that one expression may come to."""
Columns = Callable[[exp.Column], str]


def kept(node: exp.Column) -> str:
    """The type that a column's `meta` tells."""
    return str(node.meta.get(TYPE, kinds.ANY))


class Writing:
    """Writes expressions. Raises `SqlError` for what PostgreSQL refuses, and for what is not known here."""

    clock: Clock

    def __init__(self, clock: Clock, columns: Columns = kept) -> None:
        """`columns` gives the type of a column, which is left as it is."""
        self.clock = clock
        self.columns = columns
        self.volatile = False
        """Whether something was written that differs from one moment to the next."""

    def tree(self, node: exp.Expr) -> exp.Expr:
        """An expression as the engine reads it."""
        return self.output(node).tree

    def output(self, node: exp.Expr) -> Meant:
        """A column of a SELECT: what still has no type is text there."""
        found = self.write(node)
        if found.type != kinds.UNKNOWN:
            return found
        return Meant(cast(found.tree, "text") if found.literal is None else text(found.literal), "text")

    def column(self, node: exp.Expr) -> Meant:
        """As `output`, but a text or NULL may still become what the other side of a UNION is."""
        return self.write(node)

    def type_of(self, node: exp.Expr) -> str:
        """The type of an expression."""
        return self.output(node.copy()).type

    def test(self, node: exp.Expr, where: str = "WHERE") -> exp.Expr:
        """A condition."""
        return self._truth(self.write(node), node, where)

    def write(self, node: exp.Expr) -> Meant:
        """Any expression."""
        for kind in type(node).__mro__:
            writer = self._writers.get(kind)
            if writer is not None:
                found: Meant = writer(self, node)
                if isinstance(node, _GROWING):
                    _bounded(found.tree, node)
                return found
        raise SqlError(f"This cannot be used here: {node.sql('postgres')[:60]}.", at=node, sqlstate="0A000")

    # -- values ----------------------------------------------------------------------------------------

    def _column(self, node: exp.Column) -> Meant:
        return Meant(node, self.columns(node))

    def _literal(self, node: exp.Literal) -> Meant:
        if node.is_string:
            return Meant(text(node.name), kinds.UNKNOWN, literal=node.name)
        made = texts.number(node.name)
        if made is None:
            raise SqlError(f"'{shown(node.name)}' is no number.", at=node)
        if node.name.isdigit():
            value = int(node.name)
            kind = "int4" if value < 2**31 else "int8" if value < 2**63 else "numeric"
            return Meant(made, kind, number=node.name)
        return Meant(made, "numeric", number=node.name)

    def _null(self, _: exp.Expr) -> Meant:
        return Meant(exp.null(), kinds.UNKNOWN)

    def _boolean(self, node: exp.Expr) -> Meant:
        return Meant(exp.Boolean(this=node.this), "bool")

    def _paren(self, node: exp.Expr) -> Meant:
        found = self.write(node.this)
        found.tree = paren(found.tree)
        return found

    def _interval(self, node: exp.Interval) -> Meant:
        this, unit = node.this, node.args.get("unit")
        said = this.name if isinstance(this, exp.Literal) else None
        if said is None or isinstance(unit, exp.IntervalSpan):
            raise SqlError("An interval is one text here, as '1 day 2 hours'.", at=node, sqlstate="0A000")
        whole = f"{said} {unit.name}" if unit is not None else said
        return Meant(texts.value(whole, "interval", self.clock, node), "interval")

    def _cast(self, node: exp.Cast) -> Meant:
        wanted, sizes = kinds.named(node.to)
        one = self.write(node.this)
        return Meant(casted(one, wanted, sizes, self.clock, node), wanted)

    def _array(self, node: exp.Expr) -> Meant:
        items = [self.write(one) for one in node.expressions]
        kind = self._common(items, node, "ARRAY")
        made = call("list_value", *(becoming(one, kind, self.clock, node) for one in items))
        return Meant(made, f"{kind}[]" if kind != kinds.ANY else kinds.ANY)

    def _tuple(self, node: exp.Expr) -> Meant:
        return Meant(call("row", *(self.output(one).tree for one in node.expressions)), "record")

    def _bracket(self, node: exp.Bracket) -> Meant:
        array = self.write(node.this)
        if len(node.expressions) != 1 or not kinds.is_array(array.type):
            raise SqlError("Only one element of an array can be taken.", at=node, sqlstate="0A000")
        place = node.expressions[0]
        if isinstance(place, exp.Slice):
            raise SqlError("Slices of arrays cannot be taken here.", at=node, sqlstate="0A000")
        if isinstance(place, exp.Literal) and node.args.get("offset") is None:
            index: exp.Expr = num(int(place.name) + 1)  # the parser counts from zero
        else:
            index = becoming(self.write(place), "int4", self.clock)
        # The engine counts from the end where PostgreSQL finds nothing.
        found = exp.Case(
            ifs=[exp.If(this=op(exp.GT, index, num(0)), true=call("list_extract", array.tree, index.copy()))]
        )
        return Meant(found, kinds.element(array.type))

    def _query(self, node: exp.Expr) -> Meant:
        """A sub-query that is written already."""
        return Meant(node, output_types(node)[0] if output_types(node) else kinds.ANY)

    # -- operators -------------------------------------------------------------------------------------

    def _compare(self, node: exp.Expr) -> Meant:
        if isinstance(node.expression, exp.Any) or _is_all(node.expression):
            return self._quantified(node)
        left, right = node.this.unnest(), node.expression.unnest()
        if isinstance(left, exp.Tuple) and isinstance(right, exp.Tuple):
            return self._rows(node, left, right)
        return operators.compared(
            type(node), self.write(node.this), self.write(node.expression), self.clock, node
        )

    def _rows(self, node: exp.Expr, left: exp.Expr, right: exp.Expr) -> Meant:
        """`(a, b) < (c, d)`: the first difference decides, null does not."""
        if len(left.expressions) != len(right.expressions):
            raise SqlError("unequal number of entries in row expressions", at=node)
        pairs = [
            (self.write(a), self.write(b)) for a, b in zip(left.expressions, right.expressions, strict=True)
        ]
        kind = type(node)
        if kind in (exp.EQ, exp.NEQ, exp.NullSafeEQ, exp.NullSafeNEQ):
            tests = [operators.compared(kind, a, b, self.clock, node).tree for a, b in pairs]
            join = exp.and_ if kind in (exp.EQ, exp.NullSafeEQ) else exp.or_
            return Meant(exp.Paren(this=join(*tests, copy=False)), "bool")
        strict: type[exp.Expr] = exp.LT if kind is exp.LTE else exp.GT if kind is exp.GTE else kind
        made: exp.Expr | None = None
        for n, (a, b) in enumerate(reversed(pairs)):
            here = operators.compared(kind if n == 0 else strict, again(a), again(b), self.clock, node).tree
            if made is None:
                made = here
                continue
            equal = operators.compared(exp.EQ, again(a), again(b), self.clock, node).tree
            made = exp.Case(ifs=[exp.If(this=equal, true=made)], default=here)
        assert made is not None
        return Meant(exp.Paren(this=made), "bool")

    def _quantified(self, node: exp.Expr) -> Meant:  # noqa: PLR0911 - one for each form
        """`x = ANY (…)` and `x <> ALL (…)`, over an array or a sub-query."""
        whole = _is_all(node.expression)
        given = node.expression.expressions[0] if whole else node.expression.this
        given = given.unnest() if not isinstance(given, exp.Subquery) else given
        one = self.write(node.this)
        if isinstance(given, exp.Subquery | exp.Query):
            right = given if isinstance(given, exp.Subquery) else exp.Subquery(this=given)
            kind = (output_types(right) or [kinds.ANY])[0]
            left, _ = operators.sides(one, Meant(exp.null(), kind), self.clock, node, type(node))
            made: exp.Expr
            if isinstance(node, exp.EQ) and not whole:
                made = exp.In(this=paren(left), query=right)
            elif isinstance(node, exp.NEQ) and whole:
                made = exp.Not(this=exp.Paren(this=exp.In(this=paren(left), query=right)))
            else:
                word: exp.Expr = exp.All(this=right) if whole else exp.Any(this=right)
                made = type(node)(this=paren(left), expression=word)
            return Meant(exp.Paren(this=made), "bool")
        if isinstance(given, exp.Array):
            tests = [
                operators.compared(type(node), again(one), self.write(each), self.clock, node).tree
                for each in given.expressions
            ]
            if not tests:
                return Meant(exp.Boolean(this=whole), "bool")
            if isinstance(node, exp.EQ) and not whole:
                return self._among(one, given.expressions, node)
            return Meant(exp.Paren(this=(exp.and_ if whole else exp.or_)(*tests, copy=False)), "bool")
        array = self.write(given)
        if array.literal is not None:
            items = texts.array_items(array.literal)
            if items is None:
                raise SqlError(
                    f'malformed array literal: "{shown(array.literal)}"', at=node, sqlstate="22P02"
                )
            spelled = node.copy()
            values = exp.Array(expressions=[exp.null() if i is None else text(i) for i in items])
            spelled.set(
                "expression",
                exp.Anonymous(this="ALL", expressions=[values])
                if whole
                else exp.Any(this=exp.Paren(this=values)),
            )
            return self._quantified(spelled)
        if array.is_null:
            return Meant(cast(exp.null(), "bool"), "bool")
        if not kinds.is_array(array.type):
            raise SqlError("op ANY/ALL (array) requires array on right side", at=node, sqlstate="42809")
        return Meant(self._over_array(node, one, array, whole=whole), "bool")

    def _over_array(self, node: exp.Expr, one: Meant, array: Meant, *, whole: bool) -> exp.Expr:
        inner = kinds.element(array.type)
        item = Meant(exp.column("el"), inner)
        test = operators.compared(type(node), one, item, self.clock, node).tree
        found = call(
            "list_transform", array.tree, exp.Lambda(this=test, expressions=[exp.to_identifier("el")])
        )
        # Three-valued: a null among the tests leaves it open, unless another one decides.
        decided = exp.Boolean(this=not whole)
        return exp.Case(
            ifs=[
                exp.If(this=exp.Is(this=array.tree.copy(), expression=exp.null()), true=exp.null()),
                exp.If(this=call("list_contains", found, decided), true=decided.copy()),
                exp.If(
                    this=op(exp.LT, call("list_count", found.copy()), call("len", found.copy())),
                    true=exp.null(),
                ),
            ],
            default=exp.Boolean(this=whole),
        )

    def _compute(self, node: exp.Expr) -> Meant:
        return operators.computed(
            type(node), self.write(node.this), self.write(node.expression), self.clock, node
        )

    def _bits(self, node: exp.Expr) -> Meant:
        a, b = self.write(node.this), self.write(node.expression)
        kind = kinds.common([a.type, b.type])
        if kind not in kinds.WHOLE:
            raise operators.refused(type(node), a.type, b.type, node)
        x, y = becoming(a, kind, self.clock, node), becoming(b, kind, self.clock, node)
        if isinstance(node, exp.BitwiseXor):
            return Meant(call("xor", x, y), kind)
        if isinstance(node, exp.BitwiseLeftShift | exp.BitwiseRightShift):
            raise SqlError("Shifts of bits cannot be used here.", at=node, sqlstate="0A000")
        return Meant(op(type(node), x, y), kind)

    def _joined(self, node: exp.Expr) -> Meant:
        return operators.joined(self.write(node.this), self.write(node.expression), self.clock, node)

    def _negative(self, node: exp.Expr) -> Meant:
        one = self.write(node.this)
        if one.type == kinds.UNKNOWN:
            one = Meant(becoming(one, "float8", self.clock, node), "float8")
        if one.type not in (*kinds.NUMBERS, "interval", kinds.ANY):
            raise SqlError(f"operator does not exist: - {kinds.spoken(one.type)}", at=node, sqlstate="42883")
        number = f"-{one.number}" if one.number is not None and not one.number.startswith("-") else None
        return Meant(exp.Paren(this=exp.Neg(this=paren(one.tree))), one.type, number=number)

    def _and(self, node: exp.Expr) -> Meant:
        flat = list(node.flatten())
        word = "AND" if isinstance(node, exp.And) else "OR"
        parts = [paren(self._truth(self.write(one), one, word)) for one in flat]
        join = exp.and_ if isinstance(node, exp.And) else exp.or_
        return Meant(exp.Paren(this=join(*parts, copy=False)), "bool")

    def _not(self, node: exp.Expr) -> Meant:
        return Meant(not_(self._truth(self.write(node.this), node, "NOT")), "bool")

    def _truth(self, one: Meant, at: exp.Expr, where: str) -> exp.Expr:
        if one.type not in ("bool", kinds.UNKNOWN, kinds.ANY):
            raise SqlError(
                f"argument of {where} must be type boolean, not type {kinds.spoken(one.type)}",
                at=at,
                sqlstate="42804",
            )
        return becoming(one, "bool", self.clock, at)

    def _is(self, node: exp.Expr) -> Meant:
        one = node.this.unnest()
        if isinstance(one, exp.Tuple) and isinstance(node.expression, exp.Null):
            tests = [op(exp.Is, self.output(each).tree, exp.null()) for each in one.expressions]
            return Meant(exp.Paren(this=exp.and_(*tests, copy=False)), "bool")
        if not isinstance(node.expression, exp.Null | exp.Boolean):
            raise SqlError("IS takes NULL, TRUE, FALSE or UNKNOWN.", at=node, sqlstate="0A000")
        found = self.write(node.this)
        tree = found.tree
        if isinstance(node.expression, exp.Boolean):
            tree = self._truth(found, node, "IS TRUE")
        return Meant(exp.Paren(this=exp.Is(this=paren(tree), expression=node.expression.copy())), "bool")

    def _in(self, node: exp.In) -> Meant:
        query = node.args.get("query")
        if query is not None:
            left = node.this.unnest()
            if isinstance(left, exp.Tuple):
                return Meant(exp.Paren(this=exp.In(this=self._tuple(left).tree, query=query)), "bool")
            kind = (output_types(query) or [kinds.ANY])[0]
            side, _ = operators.sides(self.write(node.this), Meant(exp.null(), kind), self.clock, node)
            return Meant(exp.Paren(this=exp.In(this=paren(side), query=query)), "bool")
        left = node.this.unnest()
        if isinstance(left, exp.Tuple):
            tests = [
                self._rows(exp.EQ(this=left, expression=right), left.copy(), right.unnest()).tree
                for right in node.expressions
                if isinstance(right.unnest(), exp.Tuple)
            ]
            if len(tests) != len(node.expressions):
                raise SqlError("IN compares rows with rows.", at=node)
            return Meant(exp.Paren(this=exp.or_(*tests, copy=False)), "bool")
        return self._among(self.write(node.this), node.expressions, node)

    def _among(self, one: Meant, items: list[exp.Expr], node: exp.Expr) -> Meant:
        values = [self.write(each) for each in items]
        wanted = kinds.common([one.type, *(each.type for each in values)])
        if wanted is None:
            bad = next((v for v in values if kinds.common([one.type, v.type]) is None), values[0])
            raise operators.refused(exp.EQ, one.type, bad.type, node)
        listed = [becoming(each, wanted, self.clock, node) for each in values]
        return Meant(
            exp.Paren(this=exp.In(this=paren(becoming(one, wanted, self.clock, node)), expressions=listed)),
            "bool",
        )

    def _between(self, node: exp.Between) -> Meant:
        one, low, high = (self.write(each) for each in (node.this, node.args["low"], node.args["high"]))
        wanted = kinds.common([one.type, low.type, high.type])
        if wanted is None:
            raise operators.refused(exp.GTE, one.type, low.type, node)
        x, a, b = (becoming(each, wanted, self.clock, node) for each in (one, low, high))
        made: exp.Expr = exp.Between(this=paren(x), low=paren(a), high=paren(b))
        if node.args.get("symmetric"):
            other = exp.Between(this=paren(x.copy()), low=paren(b.copy()), high=paren(a.copy()))
            made = exp.or_(exp.Paren(this=made), exp.Paren(this=other), copy=False)
        return Meant(exp.Paren(this=made), "bool")

    def _like(self, node: exp.Expr) -> Meant:
        if isinstance(node.expression, exp.Any) or _is_all(node.expression):
            return self._like_any(node)
        escape = node.parent.expression if isinstance(node.parent, exp.Escape) else None
        return like(type(node), self.write(node.this), self.write(node.expression), escape, self, node)

    def _like_any(self, node: exp.Expr) -> Meant:
        whole = _is_all(node.expression)
        given = (node.expression.expressions[0] if whole else node.expression.this).unnest()
        if isinstance(given, exp.Literal) and given.is_string:
            items = texts.array_items(given.name)
            given = exp.Array(expressions=[text(i or "") for i in items or ()])
        if not isinstance(given, exp.Array | exp.Tuple) or not given.expressions:
            raise SqlError("LIKE ANY takes an ARRAY[…] here.", at=node, sqlstate="0A000")
        one = self.write(node.this)
        tests = [
            like(type(node), again(one), self.write(each), None, self, node).tree
            for each in given.expressions
        ]
        return Meant(exp.Paren(this=(exp.and_ if whole else exp.or_)(*tests, copy=False)), "bool")

    def _escape(self, node: exp.Escape) -> Meant:
        return self.write(node.this)

    def _regex(self, node: exp.Expr) -> Meant:
        if isinstance(node.expression, exp.DPipe):
            raise SqlError("Put the pattern into brackets.", at=node, sqlstate="0A000")
        return matched(
            self.write(node.this),
            self.write(node.expression),
            self,
            node,
            fold=isinstance(node, exp.RegexpILike),
        )

    def _similar(self, node: exp.Expr) -> Meant:
        escape = node.parent.expression if isinstance(node.parent, exp.Escape) else None
        return similar(self.write(node.this), self.write(node.expression), escape, self, node)

    def _at_zone(self, node: exp.AtTimeZone) -> Meant:
        return self._called("timezone", [node.args["zone"], node.this], node)

    # -- choices ---------------------------------------------------------------------------------------

    def _common(self, items: list[Meant], node: exp.Expr, what: str) -> str:
        kind = kinds.common([one.type for one in items])
        if kind is None:
            first = items[0].type
            other = (
                next(one.type for one in items if kinds.common([first, one.type]) is None)
                if kinds.common([first, items[-1].type]) is None
                else items[-1].type
            )
            raise SqlError(
                f"{what} types {kinds.spoken(first)} and {kinds.spoken(other)} cannot be matched",
                at=node,
                sqlstate="42804",
            )
        return kind

    def _case(self, node: exp.Case) -> Meant:
        operand = node.this
        subject = self.write(operand) if operand is not None else Meant(exp.null(), kinds.UNKNOWN)
        tests, values = [], []
        for one in node.args["ifs"]:
            if operand is not None:
                other = self.write(one.this)
                tests.append(operators.compared(exp.EQ, again(subject), other, self.clock, node).tree)
            else:
                tests.append(self.test(one.this, "CASE/WHEN"))
            values.append(self.write(one.args["true"]))
        default = node.args.get("default")
        values.append(self.write(default) if default is not None else Meant(exp.null(), kinds.UNKNOWN))
        kind = self._common(values, node, "CASE")
        made = [becoming(one, kind, self.clock, node) for one in values]
        ifs = [exp.If(this=test, true=value) for test, value in zip(tests, made, strict=False)]
        return Meant(exp.Case(ifs=ifs, default=made[-1]), kind)

    def _coalesce(self, node: exp.Expr) -> Meant:
        what = type(node).__name__.upper()
        items = [self.write(one) for one in (node.this, *node.expressions)]
        kind = self._common(items, node, what)
        trees = [becoming(one, kind, self.clock, node) for one in items]
        return Meant(call(what, *trees), kind)

    def _nullif(self, node: exp.Expr) -> Meant:
        left, right = self.write(node.this), self.write(node.expression)
        a, b = operators.sides(left, right, self.clock, node)
        kind = kinds.common([left.type, right.type]) if left.type == kinds.UNKNOWN else left.type
        if left.type != kinds.UNKNOWN and left.type == kinds.common([left.type, right.type]):
            return Meant(exp.Nullif(this=a, expression=b), left.type)
        test = op(exp.EQ, a, b)
        return Meant(exp.Case(ifs=[exp.If(this=test, true=exp.null())], default=left.tree), kind or "text")

    # -- calls -----------------------------------------------------------------------------------------

    def _anonymous(self, node: exp.Anonymous) -> Meant:
        name = node.this.name if isinstance(node.this, exp.Identifier) else str(node.this).lower()
        if name in AGGREGATES:
            return self._aggregate(node)
        if name == "grouping":
            return self.grouping(node)
        return self._called(name, node.expressions, node)

    def _called(self, name: str, given: list[exp.Expr], node: exp.Expr) -> Meant:
        known = FUNCTIONS.get(name)
        if known is None:
            raise unknown(name, node)
        args = [self.write(one) for one in given]
        found = chosen(known.signatures, [one.type for one in args])
        if found is None:
            said = ", ".join(kinds.spoken(one.type) for one in args)
            raise SqlError(f"function {name}({said}) does not exist", at=node, sqlstate="42883")
        self.volatile = self.volatile or known.volatile
        return self._applied(name, known.write, args, found, node)

    def _applied(
        self,
        name: str,
        write: Any,
        args: list[Meant],
        found: tuple[Signature, tuple[str, ...]],
        node: exp.Expr,
    ) -> Meant:
        signature, takes = found
        trees = [
            becoming(one, "text" if wanted == "any" and one.literal is not None else wanted, self.clock, node)
            for one, wanted in zip(args, takes, strict=True)
        ]
        made = write(Call(name, args, trees, takes, node, self))
        if isinstance(made, Meant):
            return made
        gives = signature.gives
        if gives.startswith("$"):
            kind = args[int(gives[1:]) - 1].type
            gives = "text" if kind == kinds.UNKNOWN else kind
        elif gives == "element":
            gives = kinds.element(args[0].type)
        elif gives == "list":
            gives = (
                kinds.ANY
                if args[0].type == kinds.ANY
                else f"{'text' if args[0].type == kinds.UNKNOWN else args[0].type}[]"
            )
        return Meant(made, gives)

    # -- aggregates and windows ------------------------------------------------------------------------

    def _aggregate(self, node: exp.Expr) -> Meant:
        name = aggregate_name(node)
        assert name is not None
        given = (
            list(node.expressions)
            if isinstance(node, exp.Anonymous)
            else [node.this]
            if node.this is not None
            else []
        )
        given += [one for key in ("offset", "default") if (one := node.args.get(key)) is not None]
        order: exp.Order | None = None
        distinct = False
        flat: list[exp.Expr] = []
        for one in given:
            inner = one
            if isinstance(inner, exp.Order):
                order, inner = inner, inner.this
            if isinstance(inner, exp.Distinct):
                distinct = True
                flat += inner.expressions
            else:
                flat.append(inner)
        if name == "count" and len(flat) <= 1 and (not flat or isinstance(flat[0], exp.Star)):
            return Meant(exp.Count(this=exp.Star()), "int8")
        return self._finished(name, flat, order, node, distinct=distinct)

    def _finished(
        self, name: str, flat: list[exp.Expr], order: exp.Order | None, node: exp.Expr, *, distinct: bool
    ) -> Meant:
        known = AGGREGATES[name]
        args = [self.write(one) for one in flat]
        found = chosen(known.signatures, [one.type for one in args])
        if found is None:
            said = ", ".join(kinds.spoken(one.type) for one in args)
            raise SqlError(f"function {name}({said}) does not exist", at=node, sqlstate="42883")
        made = self._applied(name, known.write, args, found, node)
        inner = made.tree
        target = next(
            (each for each in inner.find_all(exp.Anonymous) if each.meta.get(aggregates.TAKES)), inner
        )
        if distinct:
            target.set(
                "expressions", [exp.Distinct(expressions=[target.expressions[0]]), *target.expressions[1:]]
            )
        if order is not None:
            last = target.expressions[-1]
            target.expressions[-1].replace(exp.Order(this=last.copy(), expressions=self.order(order)))
        return made

    def _within(self, node: exp.WithinGroup) -> Meant:
        name = aggregate_name(node.this)
        if name is None or not AGGREGATES[name].ordered:
            raise SqlError(
                "WITHIN GROUP belongs to percentile_cont, percentile_disc and mode.",
                at=node,
                sqlstate="42809",
            )
        order = node.expression
        if len(order.expressions) != 1:
            raise SqlError("WITHIN GROUP takes one expression to order by.", at=node, sqlstate="0A000")
        term = order.expressions[0]
        return aggregates.within(
            name,
            [self.write(one) for one in node.this.expressions],
            self.write(term.this),
            descending=bool(term.args.get("desc")),
            clock=self.clock,
            at=node,
        )

    def _filter(self, node: exp.Filter) -> Meant:
        test = self.test(node.expression.this, "FILTER")
        found = self.write(node.this)
        return Meant(aggregates.filtered(found.tree, test), found.type)

    def _place(self, node: exp.Expr) -> Meant:
        return Meant(call(_engine_name(node)), _PLACES[type(node)])

    def _ntile(self, node: exp.Expr) -> Meant:
        return Meant(call("ntile", becoming(self.write(node.this), "int4", self.clock)), "int4")

    def _shifted(self, node: exp.Expr) -> Meant:
        name = _engine_name(node)
        one = self.output(node.this)
        kind = one.type
        args = [one.tree]
        if node.args.get("offset") is not None:
            args.append(becoming(self.write(node.args["offset"]), "int8", self.clock))
        if node.args.get("default") is not None:
            other = self.write(node.args["default"])
            kind = self._common([one, other], node, name)
            args = [becoming(one, kind, self.clock), args[1], becoming(other, kind, self.clock)]
        return Meant(call(name, *args), kind)

    def _window(self, node: exp.Window) -> Meant:
        found = self.write(node.this)
        if isinstance(node.this, exp.Anonymous) and aggregate_name(node.this) is None:
            raise SqlError(f"{node.this.name}() is no window function.", at=node, sqlstate="42809")
        window = self.window(node)
        inner = aggregates.windowed(found.tree, window)
        return Meant(inner, found.type)

    def window(self, node: exp.Window) -> exp.Window:
        """A window as the engine reads it, without what is computed in it."""
        made = exp.Window(over=node.args.get("over") or "OVER")
        if node.args.get("alias") is not None:
            made.set("alias", exp.to_identifier(node.args["alias"].name.casefold(), quoted=True))
        if node.args.get("partition_by"):
            made.set("partition_by", [self.output(one).tree for one in node.args["partition_by"]])
        if node.args.get("order") is not None:
            made.set("order", exp.Order(expressions=self.order(node.args["order"])))
        spec = node.args.get("spec")
        if spec is not None:
            spec = spec.copy()
            for key in ("start", "end"):
                if isinstance(spec.args.get(key), exp.Expr):
                    spec.set(key, self._bound(spec.args[key]))
            made.set("spec", spec)
        return made

    def _bound(self, node: exp.Expr) -> exp.Expr:
        found = self.write(node)
        if found.literal is not None:
            return becoming(found, "interval", self.clock, node)
        return found.tree

    def order(self, node: exp.Expr) -> list[exp.Expr]:
        """The terms of an ORDER BY; nulls are last, and first where it descends."""
        terms = []
        for one in node.expressions:
            term = one.copy()
            term.set("this", self.output(one.this).tree)
            terms.append(term)
        return terms

    def _collate(self, node: exp.Collate) -> Meant:
        name = (
            node.expression.name
            if isinstance(node.expression, exp.Identifier | exp.Column | exp.Dot)
            else str(node.expression)
        )
        if name.lower().strip('"') not in ("c", "posix", "default", "ucs_basic"):
            raise SqlError(
                f"The collation {shown(name)} cannot be used here: texts are compared by their codes.",
                at=node,
                sqlstate="42704",
            )
        return self.write(node.this)

    def _exists(self, node: exp.Exists) -> Meant:
        return Meant(exp.Exists(this=node.this), "bool")

    def grouping(self, node: exp.Anonymous) -> Meant:
        """`GROUPING(a, b)`: which of them a row is not grouped by."""
        return Meant(
            cast(call("grouping", *(self.output(one).tree for one in node.expressions)), "int4"), "int4"
        )

    def _if(self, node: exp.Expr) -> Meant:
        raise unknown("if", node)

    _writers: ClassVar[dict[type[exp.Expr], Any]] = {
        exp.Column: _column, exp.Literal: _literal, exp.Null: _null, exp.Boolean: _boolean,
        exp.Paren: _paren, exp.Interval: _interval, exp.Cast: _cast, exp.Array: _array,
        exp.Tuple: _tuple, exp.Bracket: _bracket, exp.Query: _query, exp.Subquery: _query,
        **dict.fromkeys((*_COMPARED, exp.NullSafeEQ, exp.NullSafeNEQ), _compare),
        **dict.fromkeys(_COMPUTED, _compute), **dict.fromkeys(_BITS, _bits),
        exp.DPipe: _joined, exp.Neg: _negative, exp.And: _and, exp.Or: _and, exp.Not: _not,
        exp.Is: _is, exp.In: _in, exp.Between: _between, exp.Like: _like, exp.ILike: _like,
        exp.Escape: _escape, exp.RegexpLike: _regex, exp.RegexpILike: _regex,
        exp.SimilarTo: _similar, exp.AtTimeZone: _at_zone, exp.Case: _case,
        exp.Coalesce: _coalesce, exp.Greatest: _coalesce, exp.Least: _coalesce,
        exp.Nullif: _nullif, exp.Anonymous: _anonymous,
        **dict.fromkeys(_AGGREGATES, _aggregate), exp.WithinGroup: _within, exp.Filter: _filter,
        **dict.fromkeys(_PLACES, _place), exp.Ntile: _ntile, **dict.fromkeys(_SAME, _shifted),
        exp.Window: _window, exp.Collate: _collate, exp.Exists: _exists, exp.If: _if,
    }  # fmt: skip


def _engine_name(node: exp.Expr) -> str:
    return str(node.sql_names()[0]) if isinstance(node, exp.Func) else node.key


def again(one: Meant) -> Meant:
    """The same once more."""
    return Meant(one.tree.copy(), one.type, one.literal, one.number)


def _bounded(tree: exp.Expr, at: exp.Expr) -> None:
    """Raises `SqlError` for what was a short text and became a long one, because values stand in it repeatedly."""
    if sum(1 for _ in islice(tree.walk(), MOST + 1)) > MOST:
        raise SqlError("The statement's expressions build on each other too much.", at=at, sqlstate="54001")


def unknown(name: str, node: exp.Expr) -> SqlError:
    """That there is no such function."""
    return SqlError(
        f"The function {shown(name.lower())}() cannot be used here{did_you_mean(name, [*FUNCTIONS, *AGGREGATES, 'measure'])}.",
        at=node,
        sqlstate="42883",
        hint="docs/reference/semantic-sql.md lists the functions.",
    )


def aggregate_name(node: exp.Expr) -> str | None:
    """The name of the aggregate that a node calls."""
    if isinstance(node, exp.Anonymous):
        name = node.this.name if isinstance(node.this, exp.Identifier) else str(node.this).lower()
        return name if name in AGGREGATES else None
    return _AGGREGATES.get(type(node))


def output_types(node: exp.Expr) -> list[str]:
    """The types of a written query's columns."""
    while isinstance(node, exp.Subquery | exp.SetOperation) and TYPE not in node.meta:
        node = node.this
    if TYPE in node.meta:
        return list(node.meta[TYPE])
    if isinstance(node, exp.Select):
        return [_read(str(one.meta.get(TYPE, kinds.ANY))) for one in node.expressions]
    return []


def _read(kind: str) -> str:
    """What has no type is text to who reads it."""
    return "text" if kind == kinds.UNKNOWN else kind


def _is_all(node: exp.Expr) -> bool:
    return isinstance(node, exp.All) or (
        isinstance(node, exp.Anonymous) and node.name.upper() == "ALL" and len(node.expressions) == 1
    )
