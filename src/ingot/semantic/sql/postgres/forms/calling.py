"""Calls by name, and what is written with words and is one."""

from typing import TYPE_CHECKING

from sqlglot import exp

from ingot.semantic.sql.postgres.calls import AGGREGATES, Meant
from ingot.semantic.sql.postgres.forms.aggregating import aggregate, grouping
from ingot.semantic.sql.postgres.forms.applying import called, unknown
from ingot.semantic.sql.postgres.writers import writes

if TYPE_CHECKING:
    from ingot.semantic.sql.postgres.writing import Writing


@writes(exp.Anonymous)
def _anonymous(w: "Writing", node: exp.Anonymous) -> Meant:
    name = node.this.name if isinstance(node.this, exp.Identifier) else str(node.this).lower()
    if name in AGGREGATES:
        return aggregate(w, node)
    if name == "grouping":
        return grouping(w, node)
    return called(w, name, node.expressions, node)


@writes(exp.If)
def _if(_w: "Writing", node: exp.Expr) -> Meant:
    raise unknown("if", node)


@writes(exp.AtTimeZone)
def _at_zone(w: "Writing", node: exp.AtTimeZone) -> Meant:
    return called(w, "timezone", [node.args["zone"], node.this], node)
