"""LIMIT, OFFSET and FETCH: whole numbers, whatever form they have; null is no bound."""

from sqlglot import exp

from ingot.semantic.sql.errors import SqlError
from ingot.semantic.sql.guessing import Guessing
from ingot.semantic.sql.postgres import kinds
from ingot.semantic.sql.postgres.writing import Writing


def bounded(made: exp.Query, given: exp.Query, writing: Writing, guessing: Guessing | None = None) -> None:
    """Gives `made` the bounds of `given`, in the engine's words. Raises `SqlError`."""
    for key in ("limit", "offset"):
        node = given.args.get(key)
        made.set(key, _bound(key, node, writing, guessing) if node is not None else None)


def _bound(key: str, node: exp.Expr, writing: Writing, guessing: Guessing | None) -> exp.Expr | None:
    if guessing is not None:
        guessing.learn(node, writing)
    if isinstance(node, exp.Fetch):
        options = node.args.get("limit_options")
        if options is not None and (options.args.get("percent") or options.args.get("with_ties")):
            raise SqlError("FETCH takes rows ONLY here.", at=node, sqlstate="0A000")
        value = node.args.get("count") or exp.Literal.number(1)
    else:
        value = node.expression
    if isinstance(value, exp.Null) or (
        isinstance(value, exp.Var | exp.Column) and value.name.upper() == "ALL"
    ):
        return None
    word = key.upper()
    if node.expressions or value.find(exp.Query):
        raise SqlError(f"{word} takes a whole number.", at=node, sqlstate="0A000")
    if value.find(exp.Column):
        raise SqlError(f"argument of {word} must not contain variables", at=node, sqlstate="42P10")
    found = writing.write(value.copy())
    if found.type not in (*kinds.WHOLE, "numeric", kinds.UNKNOWN, kinds.ANY):
        raise SqlError(
            f"argument of {word} must be type bigint, not type {kinds.spoken(found.type)}",
            at=node,
            sqlstate="42804",
        )
    if found.number is not None and found.number.startswith("-"):
        raise SqlError(f"{word} must not be negative", at=node, sqlstate="2201W")
    return (exp.Limit if key == "limit" else exp.Offset)(expression=found.tree)
