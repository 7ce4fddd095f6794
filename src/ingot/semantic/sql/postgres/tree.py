"""Small pieces of the engine's SQL."""

from collections.abc import Callable
from hashlib import sha1

from sqlglot import exp

from ingot.semantic.sql.postgres import kinds

_ATOMS = (exp.Column, exp.Literal, exp.Null, exp.Boolean)


def text(said: str) -> exp.Literal:
    return exp.Literal.string(said)


def num(value: int | str) -> exp.Expr:
    if isinstance(value, int) and value < 0:
        return exp.Paren(this=exp.Neg(this=exp.Literal.number(-value)))
    return exp.Literal.number(value)


def call(name: str, *given: exp.Expr) -> exp.Anonymous:
    """A function of the engine."""
    return exp.Anonymous(this=name.upper(), expressions=list(given))


def cast(tree: exp.Expr, kind: str) -> exp.Cast:
    """A cast in the engine, to what holds a type of PostgreSQL."""
    return as_engine(tree, kinds.engine(kind))


def as_engine(tree: exp.Expr, name: str) -> exp.Cast:
    return exp.Cast(this=tree, to=exp.DataType.build(name, dialect="duckdb"))


def paren(tree: exp.Expr) -> exp.Expr:
    """`tree` so that it can stand beside any operator."""
    return (
        tree
        if isinstance(tree, (*_ATOMS, exp.Paren, exp.Anonymous, exp.Cast, exp.Case))
        else exp.Paren(this=tree)
    )


def op(kind: type[exp.Expr], left: exp.Expr, right: exp.Expr) -> exp.Expr:
    return exp.Paren(this=kind(this=paren(left), expression=paren(right)))


def add(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    return op(exp.Add, left, right)


def sub(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    return op(exp.Sub, left, right)


def mul(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    return op(exp.Mul, left, right)


def over(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    """Division with a fraction."""
    return exp.Paren(this=exp.Div(this=paren(left), expression=paren(right), typed=False, safe=False))


def whole(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    """Division without one, towards zero."""
    return exp.Paren(this=exp.IntDiv(this=paren(left), expression=paren(right)))


def case(*pairs: tuple[exp.Expr, exp.Expr], default: exp.Expr | None = None) -> exp.Expr:
    made = exp.Case(ifs=[exp.If(this=test, true=value) for test, value in pairs])
    if default is not None:
        made.set("default", default)
    return made


def is_null(tree: exp.Expr) -> exp.Expr:
    return exp.Paren(this=exp.Is(this=paren(tree), expression=exp.null()))


def not_(tree: exp.Expr) -> exp.Expr:
    return exp.Paren(this=exp.Not(this=paren(tree)))


def error(sqlstate: str, message: str) -> exp.Expr:
    """What stops the statement where it is computed: see `ingot.semantic.sql.postgres.failures`."""
    return call("error", text(f"[{sqlstate}] {message}"))


def is_atom(tree: exp.Expr) -> bool:
    return isinstance(tree, _ATOMS) or (isinstance(tree, exp.Cast) and isinstance(tree.this, exp.Literal))


def once(tree: exp.Expr, write: Callable[[exp.Expr], exp.Expr]) -> exp.Expr:
    """`write` of a value, which is computed one time however often it is used."""
    if is_atom(tree):
        return write(tree)
    # Named by what it is: the same statement is written the same way, and no inner name hides another value.
    name = "it_" + sha1(tree.sql("duckdb").encode(), usedforsecurity=False).hexdigest()[:12]
    body = write(exp.column(name))
    made = call(
        "list_transform",
        call("list_value", tree),
        exp.Lambda(this=body, expressions=[exp.to_identifier(name)]),
    )
    return call("list_extract", made, exp.Literal.number(1))
