"""Texts and patterns: LIKE, SIMILAR TO, regular expressions."""

from typing import TYPE_CHECKING

from sqlglot import exp

from ingot.semantic.sql.errors import SqlError
from ingot.semantic.sql.postgres import input as texts
from ingot.semantic.sql.postgres.calls import Meant
from ingot.semantic.sql.postgres.forms.quantified import is_all
from ingot.semantic.sql.postgres.regexes import like, matched, similar
from ingot.semantic.sql.postgres.tree import text
from ingot.semantic.sql.postgres.writers import writes

if TYPE_CHECKING:
    from ingot.semantic.sql.postgres.writing import Writing


@writes(exp.Like, exp.ILike)
def _like(w: "Writing", node: exp.Expr) -> Meant:
    if isinstance(node.expression, exp.Any) or is_all(node.expression):
        return like_any(w, node)
    escape = node.parent.expression if isinstance(node.parent, exp.Escape) else None
    return like(type(node), w.write(node.this), w.write(node.expression), escape, w, node)


def like_any(w: "Writing", node: exp.Expr) -> Meant:
    whole = is_all(node.expression)
    given = (node.expression.expressions[0] if whole else node.expression.this).unnest()
    if isinstance(given, exp.Literal) and given.is_string:
        items = texts.array_items(given.name)
        given = exp.Array(expressions=[text(i or "") for i in items or ()])
    if not isinstance(given, exp.Array | exp.Tuple) or not given.expressions:
        raise SqlError("LIKE ANY takes an ARRAY[…] here.", at=node, sqlstate="0A000")
    one = w.write(node.this)
    tests = [like(type(node), one.again(), w.write(each), None, w, node).tree for each in given.expressions]
    return Meant(exp.Paren(this=(exp.and_ if whole else exp.or_)(*tests, copy=False)), "bool")


@writes(exp.Escape)
def _escape(w: "Writing", node: exp.Escape) -> Meant:
    return w.write(node.this)


@writes(exp.RegexpLike, exp.RegexpILike)
def _regex(w: "Writing", node: exp.Expr) -> Meant:
    if isinstance(node.expression, exp.DPipe):
        raise SqlError("Put the pattern into brackets.", at=node, sqlstate="0A000")
    return matched(
        w.write(node.this),
        w.write(node.expression),
        w,
        node,
        fold=isinstance(node, exp.RegexpILike),
    )


@writes(exp.SimilarTo)
def _similar(w: "Writing", node: exp.Expr) -> Meant:
    escape = node.parent.expression if isinstance(node.parent, exp.Escape) else None
    return similar(w.write(node.this), w.write(node.expression), escape, w, node)
