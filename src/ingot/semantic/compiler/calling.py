"""Context variables of one snippet -> the marks that a query fills, or what is known when the model is compiled."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlglot import exp

from ingot.semantic import marks
from ingot.semantic.compiler import snippet
from ingot.semantic.compiler.calls import (
    Call,
    Compiled,
    ConvertTz,
    CubeSql,
    FilterGroup,
    FilterParam,
    Security,
    Template,
)
from ingot.semantic.compiler.snippet import Resolver, SnippetError

_SECURITY_NAMES = ("security_context", "securityContext")


class Calling:
    """What context variables mean in the snippets of one cube or member.

    `cube` is what CUBE stands for, `asked` collects the members of FILTER_PARAMS, `source` gives the SQL of
    another cube.
    """

    def __init__(
        self,
        cube: str,
        name: Callable[[str], exp.Expr | snippet.Alias],
        *,
        asked: Callable[[str], None],
        source: Callable[[str], exp.Expr],
        compiled: Mapping[str, Any],
        dialect: str = "duckdb",
    ) -> None:
        self._cube = cube
        self._asked = asked
        self._source = source
        self._context = compiled
        self.resolver = Resolver(name, self._call, self._compiled, dialect)

    def _call(self, call: Call, own: str | None) -> exp.Expr:
        if isinstance(call, FilterParam):
            return self._filter(call, own)
        if isinstance(call, FilterGroup):
            return marks.filter_group([self._filter(part, own) for part in call.parts])
        if isinstance(call, ConvertTz):
            return marks.local(self._template(call.column, own))
        if isinstance(call, Security):
            operand = None if call.column is None else self._template(call.column, own)
            return marks.security(call.path, call.verb, operand, _count(call.column))
        if isinstance(call, CubeSql):
            return self._source(call.cube)
        raise AssertionError(call)

    def _filter(self, call: FilterParam, own: str | None) -> exp.Expr:
        owner = self._cube if call.owner in ("CUBE", "TABLE") else call.owner
        full_name = f"{owner}.{call.member}"
        self._asked(full_name)
        return marks.filter_param(full_name, self._template(call.column, own), _count(call.column))

    def _template(self, template: Template, own: str | None) -> exp.Expr:
        tree = snippet.expression(template.sql, self.resolver, own=own)
        for node in tree.find_all(exp.Literal):
            if node.is_string and "__arg_" in node.name:
                raise SnippetError(
                    "an argument stands inside of quotes: it is a parameter, leave out the quotes"
                )
        numbers = [n for node in tree.find_all(exp.Column) if (n := marks.argument_number(node)) is not None]
        if any(n >= len(template.arguments or ()) for n in numbers):
            raise SnippetError("names such as __arg_0__ cannot be used")
        return tree

    def _compiled(self, call: Compiled) -> str | int | float | bool | None:
        path = call.path[1:] if call.path[0] in _SECURITY_NAMES else call.path
        value: Any = self._context
        for name in path:
            if not isinstance(value, Mapping) or name not in value:
                known = sorted(value) if isinstance(value, Mapping) else []
                said = f", which has {', '.join(map(str, known))}" if known else ""
                raise SnippetError(f"there is no '{'.'.join(path)}' in the COMPILE_CONTEXT{said}")
            value = value[name]
        if not isinstance(value, str | int | float | bool | None):
            raise SnippetError(f"COMPILE_CONTEXT.{'.'.join(call.path)} is not a single value")
        return value


def _count(template: Template | None) -> int | None:
    return None if template is None or template.arguments is None else len(template.arguments)
