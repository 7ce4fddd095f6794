"""Parts of SQL trees, built without sqlglot's parser: `DataType.build` and `Select.join` parse a text each time,
which was a third of a query's compilation."""

from sqlglot import exp

Kind = exp.DType


def cast(tree: exp.Expr, kind: Kind) -> exp.Cast:
    """`tree` as a value of a type."""
    return exp.Cast(this=tree, to=exp.DataType(this=kind, nested=False))


def joined(select: exp.Select, table: exp.Expr, on: exp.Expr, *, side: str | None = "LEFT") -> exp.Select:
    """`select` itself, with one more joined table; `side` None joins only rows that match."""
    kind = {} if side else {"kind": "INNER"}
    select.append("joins", exp.Join(this=table, on=on, side=side, **kind))
    return select
