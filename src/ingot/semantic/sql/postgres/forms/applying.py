"""What a call means: which of several functions, what its arguments become, and what it gives."""

from typing import TYPE_CHECKING

from sqlglot import exp

from ingot.errors import did_you_mean
from ingot.semantic.sql.errors import SqlError, shown
from ingot.semantic.sql.postgres import kinds
from ingot.semantic.sql.postgres.calls import AGGREGATES, FUNCTIONS, Aggregate, Call, Function, Meant, chosen
from ingot.semantic.sql.postgres.casts import becoming

if TYPE_CHECKING:
    from ingot.semantic.sql.postgres.writing import Writing


def called(w: "Writing", name: str, given: list[exp.Expr], node: exp.Expr) -> Meant:
    """A call of a function. Raises `SqlError` where there is none for these arguments."""
    known = FUNCTIONS.get(name)
    if known is None:
        raise unknown(name, node)
    w.volatile = w.volatile or known.volatile
    return applied(w, known, [w.write(one) for one in given], node)


def applied(w: "Writing", known: Function | Aggregate, args: list[Meant], node: exp.Expr) -> Meant:
    """A function or aggregate of these arguments."""
    found = chosen(known.signatures, [one.type for one in args])
    if found is None:
        said = ", ".join(kinds.spoken(one.type) for one in args)
        raise SqlError(f"function {known.name}({said}) does not exist", at=node, sqlstate="42883")
    signature, takes = found
    trees = [
        becoming(one, "text" if wanted == "any" and one.literal is not None else wanted, w.clock, node)
        for one, wanted in zip(args, takes, strict=True)
    ]
    made = known.write(Call(known.name, args, trees, takes, node, w))
    if isinstance(made, Meant):
        return made
    gives = signature.gives
    if gives.startswith("$"):
        kind = args[int(gives[1:]) - 1].type
        gives = "text" if kind == kinds.UNKNOWN else kind
    elif gives == "element":
        gives = kinds.element(args[0].type)
    elif gives == "list":
        gives = (
            kinds.ANY
            if args[0].type == kinds.ANY
            else f"{'text' if args[0].type == kinds.UNKNOWN else args[0].type}[]"
        )
    return Meant(made, gives)


def unknown(name: str, node: exp.Expr) -> SqlError:
    """That there is no such function."""
    return SqlError(
        f"The function {shown(name.lower())}() cannot be used here{did_you_mean(name, [*FUNCTIONS, *AGGREGATES, 'measure'])}.",
        at=node,
        sqlstate="42883",
        hint="docs/reference/semantic-sql.md lists the functions.",
    )
