"""What PostgreSQL's type of an expression is, told as a text: `pg_typeof(x)`."""

from sqlglot import exp

from ingot.semantic.sql.errors import SqlError
from ingot.semantic.sql.postgres import kinds
from ingot.semantic.sql.postgres.calls import Call, function
from ingot.semantic.sql.postgres.tree import case, is_null, text


def _typeof(c: Call) -> exp.Expr:
    kind = c.given[0].type
    if kind == kinds.ANY:
        raise SqlError("PostgreSQL's type of this is not known.", at=c.at, sqlstate="0A000")
    said = text(kinds.spoken(kind))
    # The argument stays, because an aggregate makes one row of many.
    return case((is_null(c.args[0]), said), default=said.copy())


function("pg_typeof", "any -> text", _typeof)
