"""SQL snippets of model files -> sqlglot trees, with `{references}` handed to a resolver.

Snippets are the author's own SQL and are trusted; values of queries never come this way.
"""

import re
from collections.abc import Callable

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from ingot.semantic import marks

DIALECT = "duckdb"

_REFERENCE = re.compile(r"(?<!\\)\$?\{\s*([A-Za-z_][\w]*(?:\.[A-Za-z_]\w*)*)\s*\}")
_UNSUPPORTED = re.compile(
    r"\{\s*(FILTER_PARAMS|FILTER_GROUP|SECURITY_CONTEXT|COMPILE_CONTEXT|SQL_UTILS|securityContext)\b"
)


class SnippetError(Exception):
    """The snippet is not an expression (or query) that can be used; the text says why."""


Resolve = Callable[[str], "exp.Expr | Alias"]
"""Gives the tree of a reference, or the alias of the cube that it names."""


class Alias(str):
    """The name of a cube, where a snippet writes `{cube}.column`."""

    __slots__ = ()


def column(alias: str, name: str) -> exp.Column:
    """Column `name` of the cube `alias`, as unquoted as the author would write it."""
    return exp.Column(this=exp.to_identifier(name), table=exp.to_identifier(alias, quoted=True))


def expression(text: str, resolve: Resolve, *, own: str | None) -> exp.Expr:
    """The tree of a scalar expression. Bare columns belong to cube `own`, where it is given.

    Raises:
        SnippetError: for text that is not one expression; what `resolve` raises passes through.
    """
    references, sql = _placeholders(text)
    tree = _parse(f"SELECT {sql}\n", text)
    extra = {name for name, value in tree.args.items() if value} - {"expressions", "kind"}
    if not isinstance(tree, exp.Select) or extra or len(tree.expressions) != 1:
        raise SnippetError(f"this is not one SQL expression: {text.strip()}")
    found: exp.Expr = tree.expressions[0].pop()
    if isinstance(found, exp.Alias):
        raise SnippetError(f"an expression has no name of its own: leave out AS {found.alias}")
    return _fill(found, references, resolve, own)


def query(text: str) -> exp.Query:
    """The tree of a cube's `sql`: one SELECT statement."""
    references, sql = _placeholders(text)
    if references:
        raise SnippetError(f"'{{{references[0]}}}' cannot stand in a cube's sql")
    tree = _parse(sql.strip().removesuffix(";"), text)
    if not isinstance(tree, exp.Query):
        raise SnippetError("a cube's sql is one SELECT statement")
    return tree


def table(text: str) -> exp.Table:
    """The tree of a table's name."""
    try:
        tree = sqlglot.parse_one(text, into=exp.Table, dialect=DIALECT)
    except SqlglotError:
        raise SnippetError(f"this is not the name of a table: {text.strip()}") from None
    if not isinstance(tree, exp.Table) or tree.alias:
        raise SnippetError(f"this is not the name of a table: {text.strip()}")
    return tree


def tables(tree: exp.Expr) -> tuple[str, ...]:
    """The tables that a tree reads, as `schema.name`."""
    own = {cte.alias_or_name.casefold() for cte in tree.find_all(exp.CTE)}
    names = {
        ".".join(part.name for part in found.parts)
        for found in tree.find_all(exp.Table)
        if found.name and not (found.name.casefold() in own and not found.db)
    }
    return tuple(sorted(names))


def _placeholders(text: str) -> tuple[list[str], str]:
    if unsupported := _UNSUPPORTED.search(text):
        raise SnippetError(f"{unsupported.group(1)} is not supported")
    references: list[str] = []

    def one(match: re.Match[str]) -> str:
        references.append(match.group(1))
        return f"__ref_{len(references) - 1}__"

    return references, _REFERENCE.sub(one, text).replace(r"\{", "{").replace(r"\}", "}")


def _parse(sql: str, text: str) -> exp.Expr:
    try:
        found = sqlglot.parse(sql, dialect=DIALECT)
    except SqlglotError as error:
        first = getattr(error, "errors", None)
        reason = first[0].get("description") if first else str(error)
        raise SnippetError(f"this SQL does not parse: {text.strip()} ({reason})") from None
    except RecursionError:
        raise SnippetError("this SQL is nested too deeply") from None
    if len(found) != 1 or found[0] is None:
        raise SnippetError(f"this is not one SQL statement: {text.strip()}")
    return found[0]


def _number(name: str) -> int | None:
    match = re.fullmatch(r"__ref_(\d+)__", name)
    return int(match.group(1)) if match else None


def _fill(tree: exp.Expr, references: list[str], resolve: Resolve, own: str | None) -> exp.Expr:
    def one(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Literal) and node.is_string and "__ref_" in node.name:
            restored = re.sub(r"__ref_(\d+)__", lambda m: f"{{{references[int(m.group(1))]}}}", node.name)
            return exp.Literal.string(restored)
        if not isinstance(node, exp.Column):
            return node
        if (at := _number(node.table)) is not None:
            return _of_cube(node, references[at], resolve)
        if (at := _number(node.name)) is not None and not node.table:
            return _member(node, references[at], resolve)
        if own is not None and not node.table and not node.find_ancestor(exp.Select, exp.Lambda):
            return exp.Column(this=node.this.copy(), table=exp.to_identifier(own, quoted=True))
        return node

    return tree.transform(one, copy=False)


def _of_cube(node: exp.Column, reference: str, resolve: Resolve) -> exp.Expr:
    cube = resolve(reference)
    if not isinstance(cube, Alias):
        raise SnippetError(f"'{{{reference}}}' is a member, not a cube: nothing can follow it after a dot")
    return exp.Column(this=node.this.copy(), table=exp.to_identifier(str(cube), quoted=True))


def _member(node: exp.Column, reference: str, resolve: Resolve) -> exp.Expr:
    value = resolve(reference)
    if isinstance(value, Alias):
        raise SnippetError(f"'{{{reference}}}' is a cube: say which column of it, '{{{reference}}}.column'")
    return marks.wrapped(value) if node.parent is not None else value
