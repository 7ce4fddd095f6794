"""Text -> one SELECT as a tree. Sizes are limited, so that a hostile text costs no more than a long one."""

from sqlglot import exp, parse
from sqlglot.errors import ParseError, TokenError

from ingot.semantic.sql.errors import SqlError
from ingot.semantic.sql.postgres.dialect import Language, normal, rows

MAX_TEXT = 100_000
MAX_NODES = 20_000
MAX_DEPTH = 60
"""Brackets and CASEs within each other."""


def parsed(text: str) -> exp.Query:
    """The SELECT that `text` is.

    Raises:
        SqlError: where it is no SQL, more than one statement, no SELECT, or too large.
    """
    if len(text) > MAX_TEXT:
        raise SqlError(f"The statement is longer than {MAX_TEXT:,} characters.", sqlstate="54000")
    if "\0" in text:
        raise SqlError("The statement has a NUL character.", at=text.index("\0") + 1, sqlstate="22021")
    if not text.strip().strip(";").strip():
        raise SqlError("There is no SQL statement in this text.")
    try:
        trees = [tree for tree in parse(text, dialect=Language) if tree is not None]
        sizes = [_measured(tree) for tree in trees]
    except TokenError as error:
        raise SqlError(f"The statement cannot be read: {_first(str(error))}") from None
    except ParseError as error:
        raise _unread(error, text) from None
    except (RecursionError, ValueError, IndexError, AttributeError, TypeError, KeyError):
        # The parser stumbles over texts that are no SQL in its own ways.
        raise _deep() from None
    if len(trees) != 1:
        raise SqlError(f"One statement at a time, please: here are {len(trees)}.")
    nodes, depth = sizes[0]
    if nodes > MAX_NODES:
        raise SqlError(f"The statement has more than {MAX_NODES:,} parts.", sqlstate="54001")
    if depth > 8 * MAX_DEPTH:
        raise _deep()
    return _query(normal(trees[0]))


_TAIL = {"with_": "WITH", "order": "ORDER BY", "limit": "LIMIT", "offset": "OFFSET"}


def _query(tree: exp.Expr) -> exp.Query:
    for each in list(tree.find_all(exp.Subquery)):
        _take_in(each)
    if isinstance(tree, exp.Subquery) and tree.alias == "":
        tree = tree.unnest()
    if isinstance(tree, exp.Values):
        tree = rows(tree)
    if not isinstance(tree, exp.Select | exp.SetOperation):
        what = tree.key.upper() if not isinstance(tree, exp.Command) else str(tree.this).upper()
        raise SqlError(f"Only SELECT can be asked of the model, not {what[:40]}.", at=tree, sqlstate="0A000")
    return tree


def _take_in(brackets: exp.Subquery) -> None:
    """`(SELECT …) ORDER BY … LIMIT …` -> brackets around all of it."""
    inner = brackets.this
    while isinstance(inner, exp.Subquery) and not inner.alias:
        inner = inner.this
    for key, word in _TAIL.items():
        value = brackets.args.get(key)
        if not value or not isinstance(inner, exp.Query):
            continue
        if inner.args.get(key):
            raise SqlError(f"multiple {word} clauses not allowed", at=value)
        brackets.set(key, None)
        inner.set(key, value)


def _measured(tree: exp.Expr) -> tuple[int, int]:
    """How many nodes a tree has and how deep it is; chains of AND, OR and operators count once."""
    nodes = deepest = 0
    waiting: list[tuple[exp.Expr, int]] = [(tree, 0)]
    while waiting:
        node, depth = waiting.pop()
        nodes += 1
        deepest = max(deepest, depth)
        if nodes > MAX_NODES:
            break
        for child in node.iter_expressions():
            same = isinstance(node, exp.Connector) and type(child) is type(node)
            waiting.append((child, depth if same else depth + 1))
    return nodes, deepest


def _deep() -> SqlError:
    return SqlError("The statement is nested too deep, or is no SQL.", sqlstate="54001")


def _unread(error: ParseError, text: str) -> SqlError:
    found = error.errors[0] if error.errors else {}
    highlight = str(found.get("highlight") or "")[:60]
    line, column = found.get("line"), found.get("col")
    at = None
    if isinstance(line, int) and isinstance(column, int):
        starts = [0]
        for one in text.split("\n"):
            starts.append(starts[-1] + len(one) + 1)
        at = max(1, starts[min(line, len(starts)) - 1] + column - max(0, len(highlight) - 1))
    near = f' at or near "{highlight}"' if highlight else ""
    return SqlError(f"syntax error{near}: {_first(str(found.get('description') or error))}", at=at)


def _first(text: str) -> str:
    return text.strip().split("\n")[0][:200]
