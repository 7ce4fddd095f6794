"""Calls by name, and what is written with words and is one."""

from typing import TYPE_CHECKING

from sqlglot import exp

from ingot.semantic.sql.errors import SqlError
from ingot.semantic.sql.postgres import kinds
from ingot.semantic.sql.postgres.calls import AGGREGATES, Meant
from ingot.semantic.sql.postgres.forms.aggregating import aggregate, grouping
from ingot.semantic.sql.postgres.forms.applying import called, unknown
from ingot.semantic.sql.postgres.outputs import output_types
from ingot.semantic.sql.postgres.series import listed
from ingot.semantic.sql.postgres.tree import call
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
    if name in ("unnest", "generate_series"):
        values, kind = listed(name, [w.write(one) for one in node.expressions], w.clock, node)
        w.spread += 1
        return Meant(call("unnest", values), kind)
    if name == "array" and len(node.expressions) == 1:
        return _listed(node)
    return called(w, name, node.expressions, node)


@writes(exp.If)
def _if(_w: "Writing", node: exp.Expr) -> Meant:
    raise unknown("if", node)


@writes(exp.AtTimeZone)
def _at_zone(w: "Writing", node: exp.AtTimeZone) -> Meant:
    return called(w, "timezone", [node.args["zone"], node.this], node)


def _listed(node: exp.Anonymous) -> Meant:
    """`ARRAY(SELECT …)`."""
    query = node.expressions[0]
    kinds_of = output_types(query)
    if len(kinds_of) != 1:
        raise SqlError("subquery must return only one column", at=node, sqlstate="42601")
    inner = query.this if isinstance(query, exp.Subquery) else query
    kind = kinds_of[0]
    return Meant(exp.Array(expressions=[inner]), kinds.ANY if kind == kinds.ANY else f"{kind}[]")
