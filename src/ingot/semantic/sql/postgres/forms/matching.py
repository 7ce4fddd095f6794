"""Texts and patterns: LIKE, SIMILAR TO, regular expressions."""

from typing import TYPE_CHECKING

from sqlglot import exp

from ingot.semantic.sql.errors import SqlError
from ingot.semantic.sql.postgres.calls import Meant
from ingot.semantic.sql.postgres.forms.quantified import is_quantified, quantified
from ingot.semantic.sql.postgres.regexes import like, matched, similar
from ingot.semantic.sql.postgres.writers import writes

if TYPE_CHECKING:
    from ingot.semantic.sql.postgres.writing import Writing


@writes(exp.Like, exp.ILike)
def _like(w: "Writing", node: exp.Expr) -> Meant:
    if is_quantified(node.expression):
        return quantified(w, node, lambda a, b: like(type(node), a, b, None, w, node))
    escape = node.parent.expression if isinstance(node.parent, exp.Escape) else None
    return like(type(node), w.write(node.this), w.write(node.expression), escape, w, node)


@writes(exp.Escape)
def _escape(w: "Writing", node: exp.Escape) -> Meant:
    return w.write(node.this)


@writes(exp.RegexpLike, exp.RegexpILike)
def _regex(w: "Writing", node: exp.Expr) -> Meant:
    if isinstance(node.expression, exp.DPipe):
        raise SqlError("Put the pattern into brackets.", at=node, sqlstate="0A000")
    fold = isinstance(node, exp.RegexpILike)
    if is_quantified(node.expression):
        return quantified(w, node, lambda a, b: matched(a, b, w, node, fold=fold))
    return matched(w.write(node.this), w.write(node.expression), w, node, fold=fold)


@writes(exp.SimilarTo)
def _similar(w: "Writing", node: exp.Expr) -> Meant:
    escape = node.parent.expression if isinstance(node.parent, exp.Escape) else None
    return similar(w.write(node.this), w.write(node.expression), escape, w, node)
