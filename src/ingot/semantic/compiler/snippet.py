"""SQL snippets of model files -> sqlglot trees, with `{references}` and context variables handed to a resolver.

Snippets are the author's own SQL and are trusted; values of queries never come this way.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import NamedTuple

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from ingot.semantic import marks
from ingot.semantic.compiler import calls
from ingot.semantic.compiler.calls import Call, CallError, Compiled, CubeSql, Security

_REFERENCE = re.compile(r"(?<!\\)\$?\{\s*([A-Za-z_][\w]*(?:\.[A-Za-z_]\w*)*)\s*\}")
_PLACE = re.compile(r"__ref_(\d+)__")
_ARGUMENT = re.compile(r"__arg_(\d+)__")
_SIMPLE = re.compile(r"\s*\$?\{\s*([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\s*\}(?:\.([A-Za-z_]\w*))?\s*")
_WORD = re.compile(r"\s*([A-Za-z_]\w*)\s*")


class SnippetError(Exception):
    """The snippet is not an expression (or query) that can be used; the text says why."""


Reference = str | Call


class Alias(str):
    """The name of a cube, where a snippet writes `{cube}.column`."""

    __slots__ = ()


class Resolver(NamedTuple):
    """What references mean in one place of the model."""

    name: Callable[[str], "exp.Expr | Alias"]
    """The tree of a `{reference}`, or the alias of the cube that it names."""
    call: Callable[[Call, str | None], exp.Expr]
    """The tree of a context variable; its own bare columns belong to the cube that is given."""
    compiled: Callable[[Compiled], str | int | float | bool | None]
    """The value of a `COMPILE_CONTEXT`."""
    dialect: str = "duckdb"
    """Whose SQL the snippets are."""


def column(alias: str, name: str) -> exp.Column:
    """Column `name` of the cube `alias`, as unquoted as the author would write it."""
    return exp.Column(this=exp.to_identifier(name), table=exp.to_identifier(alias, quoted=True))


def as_written(name: str) -> str:
    """A column or table as an author writes it: in quotes only where it must be."""
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) and name.upper() not in _not_columns("duckdb"):
        return name
    quoted = name.replace('"', '""').replace("{", r"\{").replace("}", r"\}")
    return f'"{quoted}"'


def expression(text: str, resolver: Resolver, *, own: str | None) -> exp.Expr:
    """The tree of a scalar expression. Bare columns belong to cube `own`, where it is given.

    Raises:
        SnippetError: for text that is not one expression; what the resolver raises passes through.
    """
    if (quick := _quick(text, resolver, own)) is not None:
        return quick
    references, sql = _placeholders(text)
    tree = _parse(f"SELECT {sql}\n", text, resolver.dialect)
    extra = {name for name, value in tree.args.items() if value} - {"expressions", "kind"}
    if not isinstance(tree, exp.Select) or extra or len(tree.expressions) != 1:
        raise SnippetError(f"this is not one SQL expression: {text.strip()}")
    found: exp.Expr = tree.expressions[0].pop()
    if isinstance(found, exp.Alias):
        raise SnippetError(f"an expression has no name of its own: leave out AS {found.alias}")
    return _Filler(references, resolver, own).fill(found)


def query(text: str, resolver: Resolver) -> exp.Query:
    """The tree of a cube's `sql`: one SELECT statement."""
    references, sql = _placeholders(text)
    tree = _parse(sql.strip().removesuffix(";"), text, resolver.dialect)
    if not isinstance(tree, exp.Query):
        raise SnippetError("a cube's sql is one SELECT statement")
    filled = _Filler(references, resolver, None).fill(tree)
    assert isinstance(filled, exp.Query)
    return filled


def table(text: str, resolver: Resolver) -> exp.Table:
    """The tree of a table's name."""
    references, sql = _placeholders(text)
    try:
        tree = sqlglot.parse_one(sql, into=exp.Table, dialect=resolver.dialect)
    except SqlglotError:
        raise SnippetError(f"this is not the name of a table: {text.strip()}") from None
    if not isinstance(tree, exp.Table) or tree.alias:
        raise SnippetError(f"this is not the name of a table: {text.strip()}")
    if references:
        filled = _Filler(references, resolver, None).fill(tree)
        if not isinstance(filled, exp.Table):
            raise SnippetError(f"this is not the name of a table: {text.strip()}")
        return filled
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


def _quick(text: str, resolver: Resolver, own: str | None) -> exp.Expr | None:
    """The tree of `column`, `{member}` or `{CUBE}.column`, which most snippets are, without a parser."""
    if (word := _WORD.fullmatch(text)) is not None:
        name = word.group(1)
        if own is None or name.upper() in _not_columns(resolver.dialect):
            return None
        return column(own, name)
    simple = _SIMPLE.fullmatch(text)
    if simple is None:
        return None
    value = resolver.name(simple.group(1))
    if simple.group(2) is not None and isinstance(value, Alias):
        return column(str(value), simple.group(2))
    return None if isinstance(value, Alias) or simple.group(2) is not None else value


def _placeholders(text: str) -> tuple[list[Reference], str]:
    references: list[Reference] = []

    def add(reference: Reference) -> str:
        references.append(reference)
        return f"__ref_{len(references) - 1}__"

    if "{" not in text:
        return references, text
    if _PLACE.search(text):
        raise SnippetError("names such as __ref_0__ cannot be used")
    try:
        called = calls.replaced(text, add)
    except CallError as error:
        raise SnippetError(str(error)) from None
    named = _REFERENCE.sub(lambda match: add(match.group(1)), called)
    return references, named.replace(r"\{", "{").replace(r"\}", "}")


@cache
def _not_columns(dialect: str) -> frozenset[str]:
    words = sqlglot.Dialect.get_or_raise(dialect).tokenizer_class.KEYWORDS
    return frozenset(word.upper() for word in words if word.isidentifier())


def _parse(sql: str, text: str, dialect: str) -> exp.Expr:
    try:
        found = sqlglot.parse(sql, dialect=dialect)
    except SqlglotError as error:
        first = getattr(error, "errors", None)
        reason = first[0].get("description") if first else str(error)
        raise SnippetError(f"this SQL does not parse: {text.strip()} ({reason})") from None
    except RecursionError:
        raise SnippetError("this SQL is nested too deeply") from None
    if len(found) != 1 or found[0] is None:
        raise SnippetError(f"this is not one SQL statement: {text.strip()}")
    if dialect != "duckdb":
        for node in found[0].walk():
            node.meta[marks.OWN] = True
    return found[0]


class _Filler:
    """Puts what references mean in their places."""

    def __init__(self, references: list[Reference], resolver: Resolver, own: str | None) -> None:
        self.references = references
        self.resolver = resolver
        self.own = own
        self.used: set[int] = set()

    def fill(self, tree: exp.Expr) -> exp.Expr:
        if any(isinstance(one, Compiled) for one in self.references):
            tree = self.compiled(tree)
        filled: exp.Expr = tree.transform(self.one, copy=False)
        for number, reference in enumerate(self.references):
            if number not in self.used:
                raise SnippetError(f"{_written(reference)} cannot stand in this place of the SQL")
        return filled

    def one(self, node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Literal) and node.is_string and "__ref_" in node.name:
            return self.text(node)
        if isinstance(node, exp.Table):
            return self.table(node)
        return self.column(node) if isinstance(node, exp.Column) else node

    def column(self, node: exp.Column) -> exp.Expr:
        if (at := _number(node.table)) is not None:
            return self.of_cube(node, at)
        if node.table:
            return node
        if (at := _number(node.name)) is not None:
            return self.member(node, at)
        if (argument := _ARGUMENT.fullmatch(node.name)) is not None:
            return marks.argument(int(argument.group(1)))
        if self.own is not None and not node.find_ancestor(exp.Select, exp.Lambda):
            return exp.Column(this=node.this.copy(), table=exp.to_identifier(self.own, quoted=True))
        return node

    def take(self, number: int) -> Reference:
        self.used.add(number)
        return self.references[number]

    def of_cube(self, node: exp.Column, number: int) -> exp.Expr:
        reference = self.take(number)
        if not isinstance(reference, str):
            raise SnippetError(f"{_written(reference)}: nothing can follow it after a dot")
        cube = self.resolver.name(reference)
        if not isinstance(cube, Alias):
            raise SnippetError(
                f"'{{{reference}}}' is a member, not a cube: nothing can follow it after a dot"
            )
        return exp.Column(this=node.this.copy(), table=exp.to_identifier(str(cube), quoted=True))

    def member(self, node: exp.Column, number: int) -> exp.Expr:
        reference = self.take(number)
        if not isinstance(reference, str):
            if isinstance(reference, CubeSql):
                raise SnippetError(f"{_written(reference)} stands after FROM or JOIN")
            inner = self.own if not node.find_ancestor(exp.Select, exp.Lambda) else None
            return self.resolver.call(reference, inner)
        value = self.resolver.name(reference)
        if isinstance(value, Alias):
            raise SnippetError(
                f"'{{{reference}}}' is a cube: say which column of it, '{{{reference}}}.column'"
            )
        return marks.wrapped(value) if node.parent is not None else value

    def table(self, node: exp.Table) -> exp.Expr:
        number = _number(node.name)
        if number is None or node.db:
            return node
        reference = self.take(number)
        if not isinstance(reference, CubeSql):
            raise SnippetError(f"{_written(reference)} is a value and cannot be a table")
        source = self.resolver.call(reference, None)
        source.set("alias", node.args.get("alias"))
        return source

    def text(self, node: exp.Literal) -> exp.Expr:
        """A text with references in it: members stay as they are written, values of a context are put together."""
        pieces = _PLACE.split(node.name)
        inside = [self.take(int(piece)) for piece in pieces[1::2]]
        if not any(isinstance(one, Security) for one in inside):
            for n, one in enumerate(inside):
                if not isinstance(one, str):
                    raise SnippetError(f"{_written(one)} cannot stand inside of a text")
                pieces[2 * n + 1] = f"{{{one}}}"
            return exp.Literal.string("".join(pieces))
        parts: list[exp.Expr] = []
        for n, piece in enumerate(pieces):
            if n % 2 == 0:
                parts += [exp.Literal.string(piece)] if piece else []
                continue
            reference = inside[n // 2]
            if not (isinstance(reference, Security) and reference.verb == "unsafeValue"):
                raise SnippetError(f"{_written(reference)} cannot stand inside of a text")
            value = self.resolver.call(reference, None)
            parts.append(exp.Cast(this=value, to=exp.DataType.build("text")))
        whole = parts[0]
        for part in parts[1:]:
            whole = exp.DPipe(this=whole, expression=part, safe=False)
        return whole if len(parts) == 1 else exp.Paren(this=whole)

    def compiled(self, tree: exp.Expr) -> exp.Expr:
        """`tree` with the values of the compile context: names where names stand, else literals."""

        def value(number: int) -> str | int | float | bool | None:
            reference = self.references[number]
            assert isinstance(reference, Compiled)
            self.used.add(number)
            return self.resolver.compiled(reference)

        def is_compiled(number: int) -> bool:
            return isinstance(self.references[number], Compiled)

        def inserted(match: re.Match[str]) -> str:
            number = int(match.group(1))
            if not is_compiled(number):
                return match.group()
            return "" if (found := value(number)) is None else str(found)

        def one(node: exp.Expr) -> exp.Expr:
            if isinstance(node, exp.Column) and not node.table:
                number = _number(node.name)
                if number is not None and is_compiled(number):
                    return exp.convert(value(number))
            if isinstance(node, exp.Literal) and node.is_string and "__ref_" in node.name:
                return exp.Literal.string(_PLACE.sub(inserted, node.name))
            if isinstance(node, exp.Identifier) and "__ref_" in node.name:
                made = _PLACE.sub(inserted, node.name)
                if not made or "\0" in made:
                    raise SnippetError("a name that COMPILE_CONTEXT gives is empty")
                return node if made == node.name else exp.to_identifier(made, quoted=True)
            return node

        return tree.transform(one, copy=False)


def _number(name: str) -> int | None:
    match = _PLACE.fullmatch(name)
    return int(match.group(1)) if match else None


def _written(reference: Reference) -> str:
    if isinstance(reference, str):
        return f"'{{{reference}}}'"
    if isinstance(reference, CubeSql):
        return f"'{{{reference.cube}.sql()}}'"
    names: Mapping[str, str] = {
        "FilterParam": "FILTER_PARAMS", "FilterGroup": "FILTER_GROUP", "Security": "SECURITY_CONTEXT",
        "Compiled": "COMPILE_CONTEXT", "ConvertTz": "SQL_UTILS",
    }  # fmt: skip
    return names[type(reference).__name__]
