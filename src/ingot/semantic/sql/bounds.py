"""LIMIT, OFFSET and FETCH: whole numbers, whatever form they have; null is no bound."""

from sqlglot import exp

from ingot.semantic.sql.errors import SqlError
from ingot.semantic.sql.guessing import Guessing
from ingot.semantic.sql.postgres import kinds
from ingot.semantic.sql.postgres.casts import becoming
from ingot.semantic.sql.postgres.tree import call, case, error, num, op
from ingot.semantic.sql.postgres.writing import Writing


def bounded(made: exp.Query, given: exp.Query, writing: Writing, guessing: Guessing | None = None) -> None:
    """Gives `made`, which has its ORDER BY, the bounds of `given` in the engine's words. Raises `SqlError`."""
    found = {}
    for key in ("limit", "offset"):
        node = given.args.get(key)
        found[key] = _bound(key, node, writing, guessing) if node is not None else None
    limit, offset = found["limit"], found["offset"]
    if limit is not None and _has_ties(given.args["limit"]):
        _with_ties(made, limit, offset, given.args["limit"])
        limit = None
    made.set("limit", exp.Limit(expression=limit) if limit is not None else None)
    made.set("offset", exp.Offset(expression=offset) if offset is not None else None)


def _has_ties(node: exp.Expr) -> bool:
    options = node.args.get("limit_options")
    return options is not None and bool(options.args.get("with_ties"))


def _with_ties(made: exp.Query, limit: exp.Expr, offset: exp.Expr | None, at: exp.Expr) -> None:
    """Keeps the rows that no more than `limit` rows stand before."""
    order = made.args.get("order")
    if order is None:
        raise SqlError("WITH TIES cannot be specified without ORDER BY clause", at=at)
    if not isinstance(made, exp.Select) or made.args.get("distinct"):
        raise SqlError(
            "WITH TIES cannot stand behind UNION or beside DISTINCT here.", at=at, sqlstate="0A000"
        )
    terms = order.copy().expressions
    for term in terms:
        if isinstance(term.this, exp.Literal) and not term.this.is_string:
            term.set("this", made.expressions[int(term.this.name) - 1].unalias().copy())
    last = limit if offset is None else op(exp.Add, limit, offset.copy())
    rank = exp.Window(this=call("rank"), order=exp.Order(expressions=terms))
    made.set("qualify", exp.Qualify(this=exp.LTE(this=rank, expression=last)))


def _bound(key: str, node: exp.Expr, writing: Writing, guessing: Guessing | None) -> exp.Expr | None:
    if guessing is not None:
        guessing.learn(node, writing)
    if isinstance(node, exp.Fetch):
        options = node.args.get("limit_options")
        if options is not None and options.args.get("percent"):
            raise SqlError("FETCH takes rows, and no PERCENT.", at=node)
        value = node.args.get("count") or exp.Literal.number(1)
    else:
        value = node.expression
    value = _alone(value)
    if isinstance(value, exp.Null) or (
        isinstance(value, exp.Var | exp.Column) and value.name.upper() == "ALL"
    ):
        return None
    word = key.upper()
    if node.expressions or value.find(exp.Query):
        raise SqlError(f"{word} takes a number that is known before the rows are.", at=node, sqlstate="0A000")
    if value.find(exp.Column):
        raise SqlError(f"argument of {word} must not contain variables", at=node, sqlstate="42P10")
    found = writing.write(value.copy())
    if found.type not in (*kinds.WHOLE, "numeric", kinds.UNKNOWN, kinds.ANY):
        raise SqlError(
            f"argument of {word} must be type bigint, not type {kinds.spoken(found.type)}",
            at=node,
            sqlstate="42804",
        )
    wrong, state = f"{word} must not be negative", "2201W" if key == "limit" else "2201X"
    if found.number is not None and found.number.startswith("-"):
        raise SqlError(wrong, at=node, sqlstate=state)
    if found.number is not None:
        return found.tree
    tree = becoming(found, "int8", writing.clock, node)
    return case((op(exp.LT, tree, num(0)), error(state, wrong)), default=tree.copy())


def _alone(value: exp.Expr) -> exp.Expr:
    """What `(SELECT 2)` is."""
    while isinstance(value, exp.Paren | exp.Subquery):
        inner = value.this
        if isinstance(inner, exp.Select):
            only = {key for key, one in inner.args.items() if one} == {"expressions"}
            if not only or len(inner.expressions) != 1:
                return value
            inner = inner.expressions[0].unalias()
        value = inner
    return value
