"""Windows, and the functions that are of windows alone."""

from typing import TYPE_CHECKING

from sqlglot import exp

from ingot.semantic.sql.errors import SqlError
from ingot.semantic.sql.postgres import aggregates
from ingot.semantic.sql.postgres.calls import Meant
from ingot.semantic.sql.postgres.casts import becoming
from ingot.semantic.sql.postgres.forms.aggregating import aggregate_name
from ingot.semantic.sql.postgres.operators import alike
from ingot.semantic.sql.postgres.tree import call
from ingot.semantic.sql.postgres.writers import writes

if TYPE_CHECKING:
    from ingot.semantic.sql.postgres.writing import Writing

_PLACES: dict[type[exp.Expr], str] = {
    exp.RowNumber: "int8", exp.Rank: "int8", exp.DenseRank: "int8", exp.PercentRank: "float8", exp.CumeDist: "float8",
}  # fmt: skip


@writes(*_PLACES)
def _place(_w: "Writing", node: exp.Expr) -> Meant:
    return Meant(call(_engine_name(node)), _PLACES[type(node)])


@writes(exp.Ntile)
def _ntile(w: "Writing", node: exp.Expr) -> Meant:
    return Meant(call("ntile", becoming(w.write(node.this), "int4", w.clock)), "int4")


@writes(exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue, exp.NthValue)
def _shifted(w: "Writing", node: exp.Expr) -> Meant:
    name = _engine_name(node)
    one = w.output(node.this)
    kind = one.type
    args = [one.tree]
    if node.args.get("offset") is not None:
        args.append(becoming(w.write(node.args["offset"]), "int8", w.clock))
    if node.args.get("default") is not None:
        other = w.write(node.args["default"])
        kind = alike([one, other], node, name)
        args = [becoming(one, kind, w.clock), args[1], becoming(other, kind, w.clock)]
    return Meant(call(name, *args), kind)


@writes(exp.Window)
def _window(w: "Writing", node: exp.Window) -> Meant:
    found = w.write(node.this)
    if isinstance(node.this, exp.Anonymous) and aggregate_name(node.this) is None:
        raise SqlError(f"{node.this.name}() is no window function.", at=node, sqlstate="42809")
    return Meant(aggregates.windowed(found.tree, window(w, node)), found.type)


def window(w: "Writing", node: exp.Window) -> exp.Window:
    """A window as the engine reads it, without what is computed in it."""
    made = exp.Window(over=node.args.get("over") or "OVER")
    if node.args.get("alias") is not None:
        made.set("alias", exp.to_identifier(node.args["alias"].name.casefold(), quoted=True))
    if node.args.get("partition_by"):
        made.set("partition_by", [w.output(one).tree for one in node.args["partition_by"]])
    if node.args.get("order") is not None:
        made.set("order", exp.Order(expressions=w.order(node.args["order"])))
    spec = node.args.get("spec")
    if spec is not None:
        spec = spec.copy()
        for key in ("start", "end"):
            if isinstance(spec.args.get(key), exp.Expr):
                spec.set(key, _bound(w, spec.args[key]))
        made.set("spec", spec)
    return made


def _bound(w: "Writing", node: exp.Expr) -> exp.Expr:
    found = w.write(node)
    if found.literal is not None:
        return becoming(found, "interval", w.clock, node)
    return found.tree


def _engine_name(node: exp.Expr) -> str:
    return str(node.sql_names()[0]) if isinstance(node, exp.Func) else node.key
