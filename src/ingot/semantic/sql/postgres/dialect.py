"""The parser: PostgreSQL's grammar, but functions keep the names that they were written with.

The library's own dialect reads `to_char`, `date_bin` or `regexp_replace` as what other databases call so, which
loses what PostgreSQL means by them. Here a call is a call, and one registry says what it means.
"""

import re
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.postgres import Postgres
from sqlglot.tokenizer_core import Token, TokenType

from ingot.semantic.sql.errors import SqlError
from ingot.semantic.sql.postgres.input import array_items
from ingot.semantic.sql.postgres.spread import grouped_by_rows

_KEPT = frozenset(
    {
        "SUM", "AVG", "MIN", "MAX", "COUNT", "COALESCE", "GREATEST", "LEAST", "NULLIF", "ROW_NUMBER", "RANK",
        "DENSE_RANK", "NTILE", "LAG", "LEAD", "FIRST_VALUE", "LAST_VALUE", "PERCENT_RANK", "CUME_DIST", "NTH_VALUE",
    }
)  # fmt: skip
_FORMS = frozenset({"CAST", "EXTRACT", "OVERLAY", "POSITION", "SUBSTRING", "TRIM"})
"""Calls with words instead of commas."""

_UNITS = frozenset({"YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"})


_DOLLAR_QUOTED = re.compile(r"""'[^']*'|"[^"]*"|--[^\n]*|(?<![\w$])(?P<dollar>\$(?:[^\W\d]\w*)?\$)""")
"""Passes over texts, names and comments, in which a `$` is one."""


class Numbered(Postgres.Tokenizer):
    """Tokens of a text whose every `$` begins a parameter."""

    HEREDOC_STRINGS: ClassVar[list[str | tuple[str, str]]] = []
    SINGLE_TOKENS: ClassVar[dict[str, TokenType]] = {
        **Postgres.Tokenizer.SINGLE_TOKENS,
        "$": TokenType.PARAMETER,
    }


class Language(Postgres):
    """PostgreSQL's SQL with calls as they are."""

    class Tokenizer(Postgres.Tokenizer):
        def tokenize(self, sql: str) -> list[Token]:
            """The tokens; the library takes the `$1,$` of `IN ($1,$2)` for a quotation mark, where none is."""
            if any(found["dollar"] for found in _DOLLAR_QUOTED.finditer(sql)):
                return super().tokenize(sql)
            return Numbered(self.dialect).tokenize(sql)

    class Parser(Postgres.Parser):  # type: ignore[misc, valid-type]
        FUNCTIONS: ClassVar[dict[str, Any]] = {
            name: made for name, made in Postgres.Parser.FUNCTIONS.items() if name in _KEPT
        }
        FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
            name: read for name, read in Postgres.Parser.FUNCTION_PARSERS.items() if name in _FORMS
        }

        JSON_OPERATORS: ClassVar[dict[TokenType, Any]] = {
            **Postgres.Parser.JSON_OPERATORS,
            TokenType.ARROW: lambda _, one, other: _call("json_object_field", one, other),
            TokenType.DARROW: lambda _, one, other: _call("json_object_field_text", one, other),
            TokenType.HASH_ARROW: lambda _, one, other: _call("json_extract_path", one, *_steps(other)),
            TokenType.DHASH_ARROW: lambda _, one, other: _call("json_extract_path_text", one, *_steps(other)),
        }

        def _parse_interval(self, *args: Any, **kwargs: Any) -> Any:
            """The whole text of an interval; the library keeps the first quantity of some."""
            start = self._index
            if self._match(TokenType.INTERVAL) and self._match(TokenType.STRING):
                said = exp.Literal.string(self._prev.text)
                unit = exp.var(self._prev.text.upper()) if self._match_texts(_UNITS) else None
                if not self._match_text_seq("TO"):
                    return self.expression(exp.Interval(this=said, unit=unit))
            self._retreat(start)
            return super()._parse_interval(*args, **kwargs)


_COMPARED = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE)
_OPERATORS: dict[str, type[exp.Expr]] = {
    "=": exp.EQ, "<>": exp.NEQ, "!=": exp.NEQ, "<": exp.LT, "<=": exp.LTE, ">": exp.GT, ">=": exp.GTE, "+": exp.Add,
    "-": exp.Sub, "*": exp.Mul, "/": exp.Div, "%": exp.Mod, "||": exp.DPipe, "~": exp.RegexpLike,
    "~*": exp.RegexpILike, "~~": exp.Like, "~~*": exp.ILike, "&": exp.BitwiseAnd, "|": exp.BitwiseOr,
    "#": exp.BitwiseXor, "<<": exp.BitwiseLeftShift, ">>": exp.BitwiseRightShift,
}  # fmt: skip
_CLOCK: dict[type[exp.Expr], str] = {
    exp.CurrentTimestamp: "current_timestamp", exp.CurrentDate: "current_date", exp.Localtimestamp: "localtimestamp",
    exp.Localtime: "localtime",
}  # fmt: skip
_SIGNS: dict[type[exp.Expr], str] = {
    exp.ArrayContainsAll: "arraycontains", exp.ArrayContainedBy: "arraycontained", exp.ArrayOverlaps: "arrayoverlap",
    exp.StartsWith: "starts_with", exp.JSONBContainsTopKey: "jsonb_exists",
}  # fmt: skip
"""Operators that are calls for the rest."""
_SPANS = ("years", "months", "weeks", "days", "hours", "mins", "secs")
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
NEGATED = "negated"
"""In the `meta` of brackets that nobody wrote: that a negated IS is in them."""
CALL = "call"
"""In the `meta` of a call: that it was written with words, or without brackets."""


def plain(node: exp.Expr) -> exp.Expr:  # noqa: PLR0911, PLR0912 - one for each form
    """A node as the rest knows it: one form for what PostgreSQL can write in several."""
    if node.args.get("negate"):
        node.set("negate", None)
        if not isinstance(node, exp.Is) and isinstance(node.expression, exp.Any | exp.All):
            # Not like one of them is: not that it is like all of them.
            other = exp.All if isinstance(node.expression, exp.Any) else exp.Any
            node.set("expression", other(this=node.expression.this))
        made = exp.Paren(this=exp.Not(this=node))
        if isinstance(node, exp.Is):
            made.meta[NEGATED] = True
        return made
    if isinstance(node, exp.Not) and isinstance(node.this, exp.Is):
        made = exp.Paren(this=node)
        made.meta[NEGATED] = True
        return made
    if isinstance(node, exp.Values) and isinstance(
        node.parent, exp.CTE | exp.SetOperation | exp.In | exp.Subquery
    ):
        return rows(node)
    if isinstance(node, exp.In) and len(node.expressions) == 1 and isinstance(node.expressions[0], exp.Query):
        query = node.expressions[0]
        node.set("expressions", None)
        node.set("query", query if isinstance(query, exp.Subquery) else exp.Subquery(this=query))
        return node
    if isinstance(node, exp.Select | exp.SetOperation):
        return _bounded(node)
    if isinstance(node, exp.Operator):
        return _operator(node)
    if isinstance(node, exp.Dot) and isinstance(node.expression, exp.Func):
        return _in_catalog(node)
    if type(node) in _CLOCK:
        return _call(_CLOCK[type(node)], *([node.this] if node.this else []))
    if isinstance(node, exp.Extract):
        return _call("extract", exp.Literal.string(node.name.lower()), node.expression)
    if isinstance(node, exp.StrPosition):
        return _call("position", node.this, node.args["substr"])
    if isinstance(node, exp.Substring):
        given = [node.this, node.args.get("start"), node.args.get("length")]
        return _call("substring", *(one for one in given if one is not None))
    if isinstance(node, exp.Trim):
        name = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(str(node.args.get("position") or ""), "btrim")
        return _call(name, node.this, *([node.expression] if node.args.get("expression") else []))
    if isinstance(node, exp.Overlay):
        given = [node.this, node.expression, node.args.get("from_"), node.args.get("for_")]
        return _call("overlay", *(one for one in given if one is not None))
    if type(node) in _SIGNS:
        return _call(_SIGNS[type(node)], node.this, node.expression)
    if isinstance(node, exp.Sqrt):
        return _call("sqrt", exp.Cast(this=node.this, to=exp.DataType.build("DOUBLE")))  # `|/ x`
    if isinstance(node, exp.Cbrt):
        return _call("cbrt", exp.Cast(this=node.this, to=exp.DataType.build("DOUBLE")))
    if isinstance(node, exp.Abs):
        return _call("abs", node.this)
    if isinstance(node, exp.ByteString):
        return exp.Literal.string(_unescaped(node.name))
    if isinstance(node, exp.RawString):
        return exp.Literal.string(node.name)
    if isinstance(node, exp.Concat) and all(
        isinstance(one, exp.Literal) and one.is_string for one in node.expressions
    ):
        return exp.Literal.string("".join(one.name for one in node.expressions))
    if isinstance(node, exp.Anonymous) and node.name.upper() == "SOME" and len(node.expressions) == 1:
        return exp.Any(this=exp.Paren(this=node.expressions[0]))
    if isinstance(node, exp.Anonymous) and not isinstance(node.this, exp.Identifier):
        name = str(node.this).lower()
        if name == "array" and len(node.expressions) == 1 and isinstance(node.expressions[0], exp.Query):
            query = node.expressions[0]
            node.set("expressions", [query if isinstance(query, exp.Subquery) else exp.Subquery(this=query)])
        if name == "make_interval":
            node.set("expressions", _named(node.expressions, _SPANS))
        if name == "row":
            return exp.Tuple(expressions=node.expressions)
        if name != "measure":
            node.set("this", name)
    return node


def _named(given: list[exp.Expr], names: tuple[str, ...]) -> list[exp.Expr]:
    """Arguments with names (`days => 10`) by their places, 0 for those that are left out."""
    if any(isinstance(one, exp.Kwarg) and one.this.name.lower() not in names for one in given):
        return given
    placed = dict(zip(names, (one for one in given if not isinstance(one, exp.Kwarg)), strict=False))
    said = {one.this.name.lower(): one.expression for one in given if isinstance(one, exp.Kwarg)}
    return [said.get(name) or placed.get(name) or exp.Literal.number(0) for name in names]


def normal(tree: exp.Expr) -> exp.Expr:
    """`tree`, which is changed, in the forms that the rest knows."""
    for key, value in list(tree.args.items()):
        if isinstance(value, exp.Expr):
            tree.set(key, normal(value))
        elif isinstance(value, list):
            tree.set(key, [normal(one) if isinstance(one, exp.Expr) else one for one in value])
    if isinstance(tree, exp.Table):
        tree.set("only", None)  # no table has others that inherit from it
    found = _regrouped(tree)
    made = plain(found)
    if made is not tree and "start" not in made.meta:
        starts = [one.meta["start"] for one in made.walk() if "start" in one.meta]
        if starts:
            made.meta["start"] = min(starts)
    return made


def _regrouped(node: exp.Expr) -> exp.Expr:
    """`a = b IS NULL` as PostgreSQL reads it: `(a = b) IS NULL`."""
    right = node.expression if isinstance(node, _COMPARED) else None
    if isinstance(right, exp.Is):
        node.set("expression", right.this)
        return exp.Is(this=exp.Paren(this=node), expression=right.expression)
    if isinstance(right, exp.Paren) and right.meta.get(NEGATED):
        # `a = b IS NOT NULL`
        test = right.this.this
        node.set("expression", test.this)
        made = exp.Paren(this=exp.Not(this=exp.Is(this=exp.Paren(this=node), expression=test.expression)))
        made.meta[NEGATED] = True
        return made
    return node


def rows(values: exp.Values) -> exp.Select:
    """`VALUES (1), (2)` as a SELECT."""
    width = len(values.expressions[0].expressions) if isinstance(values.expressions[0], exp.Tuple) else 1
    names = [exp.to_identifier(f"column{n}") for n in range(1, width + 1)]
    alias = exp.TableAlias(this=exp.to_identifier("*VALUES*", quoted=True), columns=names)
    inner = exp.Values(expressions=values.expressions, alias=alias)
    return exp.Select(expressions=[exp.Star()], from_=exp.From(this=inner))


def _bounded(query: exp.Expr) -> exp.Expr:
    """One form for the bounds, and windows where they are used."""
    query = grouped_by_rows(query)
    limit = query.args.get("limit")
    if isinstance(limit, exp.Fetch) and not (limit.args.get("limit_options") or exp.Null()).args.get(
        "with_ties"
    ):
        query.set("limit", exp.Limit(expression=limit.args.get("count") or exp.Literal.number(1)))
    elif isinstance(limit, exp.Limit) and (
        isinstance(limit.expression, exp.Null)
        or (isinstance(limit.expression, exp.Var) and limit.expression.name.upper() == "ALL")
    ):
        query.set("limit", None)
    known = {
        one.this.name.lower(): one
        for one in query.args.get("windows") or ()
        if isinstance(one.this, exp.Identifier)
    }
    if not known:
        return query
    for one in known.values():
        _inlined(one, known)
    query.set("windows", None)
    for node in list(query.find_all(exp.Window)):
        if node.find_ancestor(exp.Select) is query:
            _inlined(node, known)
    return query


def _inlined(node: exp.Expr, known: dict[str, Any]) -> None:
    alias = node.args.get("alias")
    named = known.get(alias.name.lower()) if alias is not None else None
    if named is None or named is node:
        return
    node.set("alias", None)
    for key in ("partition_by", "order", "spec"):
        given = named.args.get(key)
        if given and not node.args.get(key):
            node.set(key, [one.copy() for one in given] if isinstance(given, list) else given.copy())


def _call(name: str, *given: exp.Expr) -> exp.Anonymous:
    if any(one is None for one in given):
        raise SqlError("operator does not exist: it takes two operands", sqlstate="42883")
    made = exp.Anonymous(this=name, expressions=list(given))
    made.meta[CALL] = True
    return made


def _steps(path: exp.Expr) -> list[exp.Expr]:
    """The keys of a path: `'{a,b}'`, `ARRAY['a', 'b']`, and either with its type."""
    bare = path
    while isinstance(bare, exp.Cast | exp.Paren):
        bare = bare.this
    if isinstance(bare, exp.Array):
        return list(bare.expressions)
    items = array_items(bare.name) if isinstance(bare, exp.Literal) and bare.is_string else None
    if not items or None in items:
        raise SqlError(
            "A path of JSON is written down here: '{a,b}' or ARRAY['a', 'b'].", at=path, sqlstate="0A000"
        )
    return [exp.Literal.string(one) for one in items]


def _operator(node: exp.Operator) -> exp.Expr:
    sign = str(node.args.get("operator") or "").lower().replace('"', "").strip()
    sign = sign.removeprefix("pg_catalog.").strip()
    negated = sign in ("!~", "!~*", "!~~", "!~~*")
    kind = _OPERATORS.get(sign[1:] if negated else sign)
    if kind is None:
        return node
    made = exp.Paren(this=kind(this=node.this, expression=node.expression))
    return exp.Paren(this=exp.Not(this=made)) if negated else made


def _in_catalog(node: exp.Dot) -> exp.Expr:
    """`pg_catalog.lower(x)` is `lower(x)`."""
    if not isinstance(node.this, exp.Identifier) or node.this.name.lower() != "pg_catalog":
        return node
    call = node.expression
    if isinstance(call, exp.Anonymous) and not isinstance(call.this, exp.Identifier):
        name = call.name.upper()
        if name in _KEPT:
            text = exp.Anonymous(this=name, expressions=call.expressions).sql("postgres")
            found = Language().parse(f"SELECT {text}")[0]
            assert isinstance(found, exp.Select)
            if len(found.expressions) != 1:
                return node
            only: exp.Expr = found.expressions[0].pop()
            return only
    named: exp.Expr = call
    return named


def _unescaped(text: str) -> str:
    found, at = [], 0
    while at < len(text):
        one = text[at]
        if one == "\\" and at + 1 < len(text):
            at += 1
            one = _ESCAPES.get(text[at], text[at])
            if text[at] in "xuU01234567":
                return text  # numbers of characters are not read here
        found.append(one)
        at += 1
    return "".join(found)
